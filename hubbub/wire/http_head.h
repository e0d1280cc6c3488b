// HTTP/1.1 request heads and responses (RFC 9112), parsed by Boost.Beast's parser fed with bytes. Beast is included in
// http_head.cc only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/error.h"

namespace hubbub::wire {

// A parsed head. Views point into the text that was parsed.
struct HttpRequest {
  std::string method;   // "GET"
  std::string target;   // as sent: "/ws?session=happy-panda-42"
  std::string path;     // decoded path without the query
  std::string query;    // raw, without '?'
  int version = 11;     // 10 or 11
  bool keep_alive = true;
  std::size_t content_length = 0;
  bool chunked = false;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in order of arrival

  // Values of all headers of that (lower-case) name joined by ", " (RFC 9110 section 5.3); "" if absent.
  [[nodiscard]] std::string header(std::string_view name) const;
  // How many header lines have that (lower-case) name.
  [[nodiscard]] std::size_t count(std::string_view name) const;
  // Value of a query parameter, percent-decoded; "" if absent.
  [[nodiscard]] std::string query_param(std::string_view name) const;
};

struct HttpParse {
  enum class Status : std::uint8_t { need_more, complete, error };
  Status status = Status::need_more;
  std::size_t head_bytes = 0;  // complete: where the head ended; what follows is body or frames
  HttpRequest request;
  Error error;                 // bad_request or head_too_large, with a detail that names the limit
};

// Parses the head at the front of `text`: everything received so far on this connection for this request. Call again
// with more after need_more. A text longer than `head_bytes_max` without a complete head is head_too_large. Obsolete line folding, a missing or
// repeated Host in HTTP/1.1, conflicting Content-Length and Transfer-Encoding are bad_request.
[[nodiscard]] HttpParse parse_http_head(std::string_view text, std::size_t head_bytes_max);

struct HttpResponse {
  int status = 200;
  std::string content_type;  // empty: none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool keep_alive = true;
};

[[nodiscard]] std::string_view http_reason(int status) noexcept;
// The response as bytes, with Content-Length, Connection, and Date left out. `head_only`: answer to HEAD (length of the
// body, no body).
[[nodiscard]] std::string format_http_response(const HttpResponse& response, bool head_only = false);
// The refusal that an error gets: status of the table, text/plain body with the error's message and a newline,
// Retry-After in whole seconds (rounded up, at least 1) where the error says retry_after_ms, Sec-WebSocket-Version: 13
// for 426, Allow: GET for 405, Connection: close.
[[nodiscard]] HttpResponse http_refusal(const Error& error);

}  // namespace hubbub::wire
