#include "hubbub/core/notices.h"

#include "hubbub/wire/json.h"
#include "hubbub/wire/jsonrpc.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub {
namespace {

using wire::append_json_int;
using wire::append_json_string;
using wire::append_json_uint;

// Writes the members of one object; commas and quotes are its business.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  ObjectWriter& text(std::string_view name, std::string_view value) {
    return key(name), append_json_string(out_, value), *this;
  }
  ObjectWriter& number(std::string_view name, std::uint64_t value) {
    return key(name), append_json_uint(out_, value), *this;
  }
  ObjectWriter& signed_number(std::string_view name, std::int64_t value) {
    return key(name), append_json_int(out_, value), *this;
  }
  ObjectWriter& raw(std::string_view name, std::string_view json) { return key(name), out_ += json, *this; }
  // Opens a nested object, to be closed by the returned writer's end of life.
  [[nodiscard]] ObjectWriter object(std::string_view name) { return key(name), ObjectWriter(out_); }

 private:
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string& out_;
  bool first_ = true;
};

std::string write_params(auto&& write) {
  std::string out;
  {
    ObjectWriter object(out);
    write(object);
  }
  return out;
}

void write_missing(ObjectWriter& out, std::uint64_t from, std::uint64_t to, bool replies) {
  out.object("missing").number("from", from).number("to", to).raw("replies", replies ? "true" : "false");
}

}  // namespace

FrameRef notification(std::string_view method, std::string_view params_json, Origin origin) {
  std::string text;
  text.reserve(48 + method.size() + params_json.size());
  wire::append_notification(text, method, params_json);
  return wire::make_frame(wire::Opcode::text, text, false, origin);
}

FrameRef session_message(std::string_view from, std::string_view data) {
  return notification("session.message",
                      write_params([&](ObjectWriter& out) { out.text("from", from).raw("data", data); }));
}

FrameRef topic_message(std::string_view topic, std::uint64_t offset, std::string_view data,
                       std::uint32_t serial) {
  const std::string params = write_params(
      [&](ObjectWriter& out) { out.text("topic", topic).number("offset", offset).raw("data", data); });
  return notification("topic.message", params, Origin{serial, offset});
}

FrameRef hub_message(std::string_view data) {
  return notification("hub.message", write_params([&](ObjectWriter& out) { out.raw("data", data); }));
}

FrameRef draining_notice(Millis retry_after_ms) {
  return notification("session.draining", write_params([&](ObjectWriter& out) {
                        out.signed_number("retry_after_ms", retry_after_ms);
                      }));
}

FrameRef ack_notice(std::uint64_t received) {
  return notification("session.ack",
                      write_params([&](ObjectWriter& out) { out.number("received", received); }));
}

FrameRef gap_notice(std::uint64_t from, std::uint64_t to, bool replies) {
  return notification("session.gap",
                      write_params([&](ObjectWriter& out) { write_missing(out, from, to, replies); }));
}

FrameRef closing_notice(std::uint16_t code, std::string_view reason, Millis retry_after_ms) {
  return notification("session.closing", write_params([&](ObjectWriter& out) {
                        out.number("code", code).text("reason", reason);
                        if (retry_after_ms >= 0) out.signed_number("retry_after_ms", retry_after_ms);
                      }));
}

}  // namespace hubbub
