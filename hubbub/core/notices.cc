#include "hubbub/core/notices.h"

#include "hubbub/base/version.h"
#include "hubbub/core/session.h"
#include "hubbub/wire/json.h"
#include "hubbub/wire/jsonrpc.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub {
namespace {

using wire::append_json_double;
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
  ObjectWriter& real(std::string_view name, double value) {
    return key(name), append_json_double(out_, value), *this;
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

void write_limits(ObjectWriter& out, const Limits& limits) {
  out.number("message_bytes", limits.message_bytes)
      .number("batch_items", limits.batch_items)
      .number("topics", limits.topics_per_session)
      .real("rate_per_s", limits.rate_per_s)
      .signed_number("ping_ms", limits.ping_interval_ms);
  out.object("replay")
      .number("messages", limits.replay_messages)
      .number("bytes", limits.replay_bytes)
      .signed_number("ms", limits.replay_age_ms);
}

}  // namespace

std::string opened_json(const Session& session, std::string_view token, const Env& env) {
  return write_params([&](ObjectWriter& out) {
    out.object("session")
        .text("code", session.code().text())
        .text("epoch", session.identity().epoch)
        .text("token", token)
        .signed_number("ttl_ms", env.limits.grace_ms);
    out.raw("resumed", "false").number("sent", 0).number("received", 0);
    {
      ObjectWriter limits = out.object("limits");
      write_limits(limits, env.limits);
    }
    out.object("server")
        .text("name", "hubbub")
        .text("version", kVersion)
        .text("time", wire::format_time(env.clock.wall_ms()));
  });
}

FrameRef notification(std::string_view method, std::string_view params_json) {
  std::string text;
  text.reserve(48 + method.size() + params_json.size());
  wire::append_notification(text, method, params_json);
  return wire::make_frame(wire::Opcode::text, text);
}

FrameRef session_message(std::string_view from, std::string_view data) {
  return notification("session.message",
                      write_params([&](ObjectWriter& out) { out.text("from", from).raw("data", data); }));
}

FrameRef topic_message(std::string_view topic, std::uint64_t offset, std::string_view data) {
  return notification("topic.message", write_params([&](ObjectWriter& out) {
                        out.text("topic", topic).number("offset", offset).raw("data", data);
                      }));
}

FrameRef hub_message(std::string_view data) {
  return notification("hub.message", write_params([&](ObjectWriter& out) { out.raw("data", data); }));
}

FrameRef draining_notice(Millis retry_after_ms) {
  return notification("session.draining", write_params([&](ObjectWriter& out) {
                        out.signed_number("retry_after_ms", retry_after_ms);
                      }));
}

FrameRef closing_notice(std::uint16_t code, std::string_view reason, Millis retry_after_ms) {
  return notification("session.closing", write_params([&](ObjectWriter& out) {
                        out.number("code", code).text("reason", reason);
                        if (retry_after_ms >= 0) out.signed_number("retry_after_ms", retry_after_ms);
                      }));
}

}  // namespace hubbub
