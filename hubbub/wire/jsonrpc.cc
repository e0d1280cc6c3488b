#include "hubbub/wire/jsonrpc.h"

#include <utility>

#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

constexpr std::string_view kNull = "null";
constexpr std::string_view kReplyHead = R"({"jsonrpc":"2.0","id":)";
constexpr std::string_view kResultHead = R"(,"result":)";

// The envelope's members, as bits of what has been seen.
enum Member : unsigned {
  kUnknown = 0,
  kJsonrpc = 1,
  kMethod = 2,
  kId = 4,
  kParams = 8,
  kResult = 16,
  kError = 32,
};

constexpr Member member_of(std::string_view key) noexcept {
  if (key == "id") return kId;
  if (key == "method") return kMethod;
  if (key == "params") return kParams;
  if (key == "jsonrpc") return kJsonrpc;
  if (key == "result") return kResult;
  if (key == "error") return kError;
  return kUnknown;
}

// The first of the request's members in `members`, which holds at least one.
constexpr std::string_view name_of(unsigned members) noexcept {
  if (members & kId) return "id";
  if (members & kMethod) return "method";
  if (members & kParams) return "params";
  return "jsonrpc";
}

// What one walk over the object found; judged afterwards, so that the verdict does not depend on the members'
// order.
struct Envelope {
  unsigned seen = 0;
  unsigned repeated = 0;
  bool version_ok = false;
  bool method_ok = false;
  bool id_ok = false;
  bool params_ok = false;
  RpcRequest request;
};

void take_member(Envelope& envelope, Member member, std::string_view raw, dom::element value) {
  constexpr unsigned kOfRequests = kJsonrpc | kMethod | kId | kParams;
  envelope.repeated |= envelope.seen & member & kOfRequests;
  envelope.seen |= member;
  const dom::element_type type = value.type();
  std::string_view text;
  switch (member) {
    case kJsonrpc:
      envelope.version_ok = value.get(text) == simdjson::SUCCESS && text == "2.0";
      break;
    case kMethod:
      envelope.method_ok = value.get(envelope.request.method) == simdjson::SUCCESS;
      break;
    case kId:
      envelope.id_ok = type == dom::element_type::STRING || type == dom::element_type::INT64 ||
                       type == dom::element_type::UINT64 || type == dom::element_type::DOUBLE ||
                       type == dom::element_type::NULL_VALUE;
      envelope.request.id = raw;
      break;
    case kParams:
      envelope.params_ok = type == dom::element_type::OBJECT || type == dom::element_type::ARRAY;
      envelope.request.params = raw;
      envelope.request.params_dom = value;
      break;
    default:
      break;
  }
}

// DOM and slices walk the same text in the same order: the DOM has keys and strings decoded, the slices the
// raw bytes.
bool walk(std::string_view raw, dom::object object, Envelope& envelope) {
  JsonSlices slices(raw);
  for (const auto field : object) {
    if (!slices.next()) return false;
    if (const Member member = member_of(field.key))
      take_member(envelope, member, slices.value(), field.value);
  }
  return true;
}

bool is_response(const Envelope& envelope) noexcept {
  return (envelope.seen & (kResult | kError)) != 0 && (envelope.seen & kMethod) == 0;
}

// The first thing wrong with the envelope, or "".
std::string_view fault_of(const Envelope& envelope) noexcept {
  if (is_response(envelope))
    return "this is a response (result or error without method); there was no such call";
  if (!(envelope.seen & kJsonrpc)) return "the member jsonrpc is missing; it must be \"2.0\"";
  if (!envelope.version_ok) return "the member jsonrpc must be the string \"2.0\"";
  if (!(envelope.seen & kMethod)) return "the member method is missing";
  if (!envelope.method_ok) return "the member method must be a string";
  if ((envelope.seen & kId) && !envelope.id_ok) return "the member id must be a string, a number or null";
  if ((envelope.seen & kParams) && !envelope.params_ok)
    return "the member params must be an object or an array";
  return {};
}

bool id_readable(const Envelope& envelope) noexcept {
  return envelope.id_ok && (envelope.repeated & kId) == 0 && !is_response(envelope);
}

std::unexpected<Error> refuse(std::string_view detail, std::string_view field = {}) {
  Error error;
  error.code = Errc::invalid_request;
  error.detail = detail;
  error.field = field;
  return std::unexpected(std::move(error));
}

// Appends the members of error.data one by one, with commas. Members that the application's own data holds
// win.
class DataWriter {
 public:
  DataWriter(std::string& out, std::string_view own) : out_(out), own_(own) {}

  void text(std::string_view name, std::string_view value) {
    if (!value.empty() && begin(name)) append_json_string(out_, value);
  }
  void boolean(std::string_view name, bool value) {
    if (begin(name)) out_ += value ? "true" : "false";
  }
  void integer(std::string_view name, std::int64_t value) {
    if (begin(name)) append_json_int(out_, value);
  }
  // The application's data: an object's members, or any other value as "detail".
  void own() {
    if (own_.empty()) return;
    if (own_.front() != '{') {
      out_ += ",\"detail\":";
      out_ += own_;
      return;
    }
    for (JsonSlices member(own_); member.next();) {
      out_ += any_ ? ",\"" : "\"";
      any_ = true;
      out_ += member.key();
      out_ += "\":";
      out_ += member.value();
    }
  }

 private:
  bool begin(std::string_view name) {
    for (JsonSlices member(own_); member.next();)
      if (json_key_equals(member.key(), name)) return false;
    out_ += any_ ? ",\"" : "\"";
    any_ = true;
    out_ += name;
    out_ += "\":";
    return true;
  }

  std::string& out_;
  std::string_view own_;
  bool any_ = false;
};

std::string_view without_space(std::string_view json) noexcept {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = json.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return json.substr(first, json.find_last_not_of(kSpace) + 1 - first);
}

int rpc_code_of(const Error& error) noexcept {
  if (error.rpc_code != 0) return error.rpc_code;
  const int code = error.info().rpc_code;
  return code != 0 ? code : error_info(Errc::internal_error).rpc_code;
}

}  // namespace

Result<RpcRequest> read_request(std::string_view raw, dom::element element, std::string_view& id_out) {
  id_out = kNull;
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return refuse("a request is a JSON object");
  Envelope envelope;
  if (!walk(raw, object, envelope)) return refuse("the text and its parsed form differ");
  if (id_readable(envelope)) id_out = envelope.request.id;
  if (envelope.repeated) {
    const std::string_view name = name_of(envelope.repeated);
    return refuse("the member " + std::string(name) + " stands more than once", name);
  }
  if (const std::string_view fault = fault_of(envelope); !fault.empty()) return refuse(fault);
  return envelope.request;
}

Result<dom::element> dom_of_params(const RpcRequest& request) {
  if (!request.params_parser) return request.params_dom;
  return request.params_parser->parse(request.params);
}

void append_result(std::string& out, std::string_view id, std::string_view result_json) {
  out += kReplyHead;
  out += id;
  out += kResultHead;
  out += result_json;
  out += '}';
}

FrameRef make_result_frame(std::string_view id, std::string_view result_json) {
  const std::size_t size = kReplyHead.size() + id.size() + kResultHead.size() + result_json.size() + 1;
  FrameDraft frame = draft_frame(Opcode::text, size);
  frame.append(kReplyHead);
  frame.append(id);
  frame.append(kResultHead);
  frame.append(result_json);
  frame.append("}");
  return frame.finish();
}

void append_error(std::string& out, std::string_view id, const Error& error) {
  out += kReplyHead;
  out += id;
  out += R"(,"error":{"code":)";
  append_json_int(out, rpc_code_of(error));
  out += R"(,"message":)";
  // What went wrong inside is for the log; the peer gets the table's sentence.
  append_json_string(out, error.code == Errc::internal_error ? error.info().text : error.message());
  out += R"(,"data":{)";
  DataWriter data(out, without_space(error.data));
  data.boolean("retryable", error.info().retryable);
  data.text("field", error.field);
  data.text("constraint", error.constraint);
  data.text("got", error.got);
  data.text("limit", error.limit);
  if (error.retry_after_ms >= 0) data.integer("retry_after_ms", error.retry_after_ms);
  data.own();
  out += "}}}";
}

void append_notification(std::string& out, std::string_view method, std::string_view params_json) {
  out += R"({"jsonrpc":"2.0","method":)";
  append_json_string(out, method);
  if (!params_json.empty()) {
    out += R"(,"params":)";
    out += params_json;
  }
  out += '}';
}

}  // namespace hubbub::wire
