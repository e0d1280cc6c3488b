// HTTP/1.1 request heads and responses (RFC 9112), parsed by Boost.Beast's parser fed with bytes. Beast is
// included in http_head.cc only. Bodies are not read here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/error.h"

namespace hubbub::wire {

// A parsed head; owns its text. Header values hold no control characters but tabs.
struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // as sent: "/ws?session=happy-panda-42"
  std::string path;    // decoded path without the query; never empty; "*" for OPTIONS *
  std::string query;   // raw, without '?'; its percent-encoding is valid
  int version = 11;    // 10 or 11
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
  Error error;  // bad_request or head_too_large, with a detail that names the limit
};

// Parses the head at the front of `text`: everything received so far on this connection for this request, but
// for one empty line before it that is skipped (RFC 9112 section 2.2). Call again with more after need_more;
// the outcome does not depend on how the bytes were cut, and what can no longer become a request line is
// refused at once. A text longer than `head_bytes_max` without a complete head is head_too_large. bad_request
// are: bare LF or CR, obsolete line folding, control characters, a missing or repeated Host in HTTP/1.1,
// Content-Length beside Transfer-Encoding or in two values, a transfer coding other than chunked, a target
// that is neither a path nor an http(s) or ws(s) URL.
[[nodiscard]] HttpParse parse_http_head(std::string_view text, std::size_t head_bytes_max);

struct HttpResponse {
  int status = 200;
  std::string content_type;  // empty: none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool keep_alive = true;
};

[[nodiscard]] std::string_view http_reason(int status) noexcept;
// The response as bytes. Adds Content-Length (but for 1xx, 204 and 304) and Connection; Date is left out.
// `head_only`: answer to HEAD (length of the body, no body). Line breaks in header values become spaces.
[[nodiscard]] std::string format_http_response(const HttpResponse& response, bool head_only = false);
// The refusal that an error gets: status of the table, text/plain body with the error's message and a
// newline, Retry-After in whole seconds (rounded up, at least 1) where the error says retry_after_ms,
// Upgrade: websocket and Sec-WebSocket-Version: 13 for 426, Allow: GET for 405, WWW-Authenticate: Bearer for
// 401, Connection: close. Errors that have no HTTP status are 500; what went wrong inside is not told.
[[nodiscard]] HttpResponse http_refusal(const Error& error);

}  // namespace hubbub::wire
