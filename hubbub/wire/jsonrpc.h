// JSON-RPC 2.0 envelopes: text -> calls with raw ids and params, and replies -> text. No methods, no
// sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hubbub/base/error.h"
#include "hubbub/base/frame.h"
#include "hubbub/wire/json.h"

namespace hubbub::wire {

// One request object, sliced from the message. Views die with the message.
struct RpcRequest {
  std::string_view method;  // decoded
  std::string_view id;  // raw JSON, byte for byte; empty: notification. `"id":null` is a call with id null.
  std::string_view params;              // raw JSON object or array; empty: absent
  dom::element params_dom;              // set if params is not empty and params_parser is null
  JsonParser* params_parser = nullptr;  // not null: params has been checked, its DOM has not been made
  [[nodiscard]] bool is_notification() const { return id.empty(); }
};

// Checks one parsed element as a request object (JSON-RPC 2.0 section 4). `raw` is its text. Error
// invalid_request with a detail that names the member: jsonrpc not "2.0", method missing or not a string,
// params not structured, id not a string, number or null, a repeated envelope member, a response
// (result/error without method). Unknown members are ignored. On error `id_out` is the raw id if one could be
// read (valid type, not repeated, not a response's), else "null".
[[nodiscard]] Result<RpcRequest> read_request(std::string_view raw, dom::element element,
                                              std::string_view& id_out);

// The DOM of the request's params, which must not be empty. Made here if the request was read without one; it
// lives until that parser's next parse.
[[nodiscard]] Result<dom::element> dom_of_params(const RpcRequest& request);

// {"jsonrpc":"2.0","id":ID,"result":RESULT}
void append_result(std::string& out, std::string_view id, std::string_view result_json);
// The same as a message, written where it will be sent from.
[[nodiscard]] FrameRef make_result_frame(std::string_view id, std::string_view result_json);
// {"jsonrpc":"2.0","id":ID,"error":{"code":…,"message":…,"data":{"retryable":…, …}}}. Members of data:
// retryable always; field, constraint, got, limit, retry_after_ms where set. If error.data is set, it is
// merged: an object's members are appended; any other value stands as "detail".
void append_error(std::string& out, std::string_view id, const Error& error);
// {"jsonrpc":"2.0","method":METHOD,"params":PARAMS}; params_json empty: left out.
void append_notification(std::string& out, std::string_view method, std::string_view params_json);

}  // namespace hubbub::wire
