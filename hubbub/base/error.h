// Error, Result and the one table of failures: what each is called on the wire, as a JSON-RPC code, a close
// code and an HTTP status, and whether trying again can help. Codes follow PROTOCOL (docs/protocol.md),
// JSON-RPC 2.0 section 5.1 and RFC 6455 section 7.4. Nothing here throws; expected failures are values.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace hubbub {

enum class Errc : std::uint8_t {
  // JSON-RPC 2.0
  parse_error,
  invalid_request,
  method_not_found,
  invalid_params,
  internal_error,
  // shared with other JSON-RPC servers
  handler_error,
  timeout,
  too_many_subscriptions,
  request_too_big,
  response_too_big,
  busy,
  batch_too_large,
  cancelled,
  // hubbub's own calls
  session_required,
  session_unknown,
  unauthenticated,
  forbidden,
  rate_limited,
  target_unknown,
  mailbox_full,
  draining,
  topic_invalid,
  not_in_history,
  // connections
  ws_protocol,
  binary_refused,
  bad_utf8,
  message_too_big,
  slow_consumer,
  no_pong,
  bad_first_message,
  open_deadline,
  kicked,
  superseded,
  restart,
  overloaded,
  // HTTP, before the upgrade
  bad_request,
  origin_refused,
  not_found,
  method_not_allowed,
  upgrade_required,
  too_many_connections,
  head_too_large,
  head_deadline,
  node_full,
  count_,
};

// One row of the table. A 0 means: this failure has no such face.
struct ErrorInfo {
  Errc code;
  std::string_view name;  // snake_case; the `reason` label of metrics and logs
  int rpc_code;           // JSON-RPC error.code
  std::uint16_t close_code;
  int http_status;
  std::string_view text;  // one line for people
  bool retryable;         // error.data.retryable
};

[[nodiscard]] const ErrorInfo& error_info(Errc code) noexcept;

// A failure with what its reader needs to go on: the limit that was hit, the field that was wrong, the next
// step.
struct Error {
  Errc code = Errc::internal_error;
  std::string detail;                // sentence for people; empty: the table's text
  std::string field;                 // invalid_params: path of the member, e.g. "since.offset"
  std::string constraint;            // invalid_params: "integer in 1..1000"
  std::string got;                   // invalid_params: JSON type of the value found
  std::string limit;                 // name of the configuration key that was hit
  std::int64_t retry_after_ms = -1;  // -1: not said
  int rpc_code = 0;                  // handler_error: the application's own code; 0: the table's
  std::string data;                  // handler_error: application's own error.data as JSON text; empty: none

  [[nodiscard]] const ErrorInfo& info() const noexcept { return error_info(code); }
  [[nodiscard]] std::string_view message() const noexcept {
    return detail.empty() ? info().text : std::string_view(detail);
  }
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline Error make_error(Errc code, std::string detail = {}) {
  Error error;
  error.code = code;
  error.detail = std::move(detail);
  return error;
}

// A bound was hit: `key` is its configuration key; the detail names it and the next step.
[[nodiscard]] inline Error limit_error(Errc code, std::string_view key, std::string detail) {
  Error error = make_error(code, std::move(detail));
  error.limit = key;
  return error;
}

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string detail = {}) {
  return std::unexpected(make_error(code, std::move(detail)));
}

// A handler's own failure: `return hubbub::reject(1, "no such room")` becomes {"code":1,"message":"no such
// room"}. The code may be any integer outside JSON-RPC's reserved -32768..-32000; `data` is JSON text or
// empty.
[[nodiscard]] inline std::unexpected<Error> reject(int rpc_code, std::string message, std::string data = {}) {
  Error error;
  error.code = Errc::handler_error;
  error.rpc_code = rpc_code;
  error.detail = std::move(message);
  error.data = std::move(data);
  return std::unexpected(std::move(error));
}

}  // namespace hubbub
