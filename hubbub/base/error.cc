#include "hubbub/base/error.h"

#include <array>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {

using enum Errc;

// clang-format off
constexpr std::array<ErrorInfo, static_cast<std::size_t>(count_)> kErrors{{
  // code                   name                      rpc     close  http  text                                             retryable
  {parse_error,            "parse_error",            -32700, 0,     400, "the text is not valid JSON",                      false},
  {invalid_request,        "invalid_request",        -32600, 0,     400, "the JSON is not a JSON-RPC 2.0 request",          false},
  {method_not_found,       "method_not_found",       -32601, 0,     404, "no such method",                                  false},
  {invalid_params,         "invalid_params",         -32602, 0,     400, "invalid params",                                  false},
  {internal_error,         "internal_error",         -32603, 1011,  500, "internal error; the server's log has the details", false},
  {handler_error,          "handler_error",          -32000, 0,     500, "the method failed",                               false},
  {timeout,                "timeout",                -32002, 0,     504, "the method took too long",                        true},
  {too_many_subscriptions, "too_many_subscriptions", -32006, 0,     409, "too many subscriptions in this session",          false},
  {request_too_big,        "request_too_big",        -32007, 0,     413, "the request is too big",                          false},
  {response_too_big,       "response_too_big",       -32008, 0,     500, "the response is too big",                         false},
  {busy,                   "busy",                   -32009, 0,     503, "too many calls in flight",                        true},
  {batch_too_large,        "batch_too_large",        -32010, 0,     413, "the batch is too large",                          false},
  {cancelled,              "cancelled",              -32800, 0,     499, "cancelled",                                       false},
  {session_required,       "session_required",       -32020, 0,     401, "open a session first",                            false},
  {session_unknown,        "session_unknown",        -32021, 0,     404, "no such session, or it expired, or the token is not its own", false},
  {unauthenticated,        "unauthenticated",        -32023, 4510,  401, "not authenticated",                               false},
  {forbidden,              "forbidden",              -32024, 4507,  403, "not allowed",                                     false},
  {rate_limited,           "rate_limited",           -32025, 4013,  429, "too many messages",                               true},
  {target_unknown,         "target_unknown",         -32026, 0,     404, "no session with that code",           true},
  {mailbox_full,           "mailbox_full",           -32027, 0,     503, "the target's mailbox is full",                    true},
  {draining,               "draining",               -32029, 1012,  503, "the server is draining; reconnect",               true},
  {topic_invalid,          "topic_invalid",          -32030, 0,     400, "topic name or number of topics out of bounds",    false},
  {not_in_history,         "not_in_history",         -32031, 0,     404, "that position is not in the history",             false},
  {ws_protocol,            "ws_protocol",            0,      1002,  0,   "WebSocket protocol error",                        false},
  {binary_refused,         "binary_refused",         0,      1003,  0,   "messages are text; binary is not taken",          false},
  {bad_utf8,               "bad_utf8",               0,      1007,  0,   "invalid UTF-8 or compressed data",                false},
  {message_too_big,        "message_too_big",        -32007, 1009,  413, "the message is too big",                          false},
  {slow_consumer,          "slow_consumer",          0,      4008,  0,   "the client does not read fast enough",            true},
  {no_pong,                "no_pong",                0,      4012,  0,   "no pong in time",                                 true},
  {bad_first_message,      "bad_first_message",      0,      4500,  0,   "the first message must be session.open or session.resume", false},
  {open_deadline,          "open_deadline",          0,      4501,  0,   "no session.open in time",                         false},
  {kicked,                 "kicked",                 0,      4503,  0,   "kicked",                                          false},
  {superseded,             "superseded",             0,      4512,  0,   "the session was resumed on another connection",   false},
  {restart,                "restart",                0,      1012,  503, "the server restarts; reconnect",                  true},
  {overloaded,             "overloaded",             -32009, 1013,  503, "the server is overloaded; try later",             true},
  {bad_request,            "bad_request",            0,      0,     400, "bad request",                                     false},
  {origin_refused,         "origin_refused",         0,      0,     403, "this Origin is not allowed",                      false},
  {not_found,              "not_found",              0,      0,     404, "not found",                                       false},
  {method_not_allowed,     "method_not_allowed",     0,      0,     405, "this path does not take that method; the Allow header says which",                              false},
  {upgrade_required,       "upgrade_required",       0,      0,     426, "connect with a WebSocket client (version 13); to try the server in a browser open /",       false},
  {too_many_connections,   "too_many_connections",   0,      0,     429, "too many connections from this address",          true},
  {head_too_large,         "head_too_large",         0,      0,     431, "the request head is too large",                   false},
  {head_deadline,          "head_deadline",          0,      0,     408, "the request head did not arrive in time",         true},
  {node_full,              "node_full",              0,      0,     503, "this server is full",                             true},
}};
// clang-format on

constexpr bool in_order() {
  for (std::size_t i = 0; i < kErrors.size(); ++i)
    if (static_cast<std::size_t>(kErrors[i].code) != i) return false;
  return true;
}
static_assert(in_order(), "the table's rows stand in the order of Errc");

}  // namespace

const ErrorInfo& error_info(Errc code) noexcept {
  HUBBUB_ASSERT(code < count_);
  return kErrors[static_cast<std::size_t>(code)];
}

}  // namespace hubbub
