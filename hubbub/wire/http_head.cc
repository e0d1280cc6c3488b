#include "hubbub/wire/http_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/none.hpp>
#include <cctype>
#include <cstdint>

#include "hubbub/wire/http_target.h"

namespace hubbub::wire {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kMethodMax = 32;
// Beast's fields count their text in 16 bits and throw beyond: no line gets there.
constexpr std::size_t kLineMax = 60 * 1024;
constexpr unsigned char kTlsHandshake = 0x16;

// RFC 9110 section 5.6.2.
constexpr bool is_token(char c) noexcept {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

constexpr bool is_control(char c) noexcept {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

// Where the head begins and ends in the text, or why it never will.
struct HeadScan {
  std::size_t begin = 0;
  std::size_t end = 0;  // 0: not complete yet
  Errc code = Errc::bad_request;
  std::string_view fault;
};

// What is wrong with the beginning of a request, be the line complete or not.
std::string_view method_fault(std::string_view line) noexcept {
  const auto stop = std::ranges::find_if_not(line.substr(0, kMethodMax + 1), is_token);
  const auto length = static_cast<std::size_t>(stop - line.begin());
  if (length > kMethodMax) return "the request method is too long";
  if (length == line.size() || (length > 0 && line[length] == ' ')) return {};
  if (static_cast<unsigned char>(line[0]) == kTlsHandshake && length == 0)
    return "this looks like TLS; plain HTTP is spoken on this port";
  return "the request does not begin with an HTTP method";
}

std::string_view request_line_fault(std::string_view line) noexcept {
  if (std::ranges::any_of(line, is_control)) return "the request line holds a control character";
  if (line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0")) return {};
  if (line.contains(" HTTP/")) return "the HTTP version must be 1.1 or 1.0";
  return "the request line must be: method, target and HTTP/1.1, with one space between";
}

std::string_view field_fault(std::string_view line) noexcept {
  if (line.starts_with(' ') || line.starts_with('\t'))
    return "a header line is folded or begins with a space";
  if (std::ranges::any_of(line, is_control)) return "a header holds a control character";
  return {};
}

std::string_view line_fault(std::string_view line, bool first) noexcept {
  if (!line.ends_with('\r')) return "a line ends in LF without CR";
  line.remove_suffix(1);
  return first ? request_line_fault(line) : field_fault(line);
}

// Goes through complete lines in order, so that the first fault is the same however the text arrives.
HeadScan scan_head(std::string_view text) noexcept {
  HeadScan scan;
  if (text == "\r") return scan;
  if (text.starts_with("\r\n")) scan.begin = 2;
  bool first = true;
  for (std::size_t at = scan.begin; at < text.size(); first = false) {
    const std::size_t feed = text.find('\n', at);
    const std::string_view line = text.substr(at, feed == std::string_view::npos ? feed : feed - at);
    if (first) scan.fault = method_fault(line);
    if (!scan.fault.empty() || feed == std::string_view::npos) return scan;
    scan.fault = line_fault(line, first);
    if (line.size() > kLineMax) {
      scan.code = Errc::head_too_large;
      scan.fault = "a line of the request head is too long";
    }
    if (!scan.fault.empty()) return scan;
    at = feed + 1;
    if (line == "\r") {
      scan.end = at;
      return scan;
    }
  }
  return scan;
}

std::string_view describe(http::error code) noexcept {
  switch (code) {
    case http::error::bad_method:
      return "the request method is not a token";
    case http::error::bad_target:
      return "the request target is empty or holds a space";
    case http::error::bad_version:
      return "the HTTP version must be 1.1 or 1.0";
    case http::error::bad_field:
      return "a header name is empty or holds a character that is not allowed in names, e.g. a space";
    case http::error::bad_value:
      return "a header value is not valid";
    case http::error::bad_content_length:
      return "Content-Length is not a number, or stands beside Transfer-Encoding";
    case http::error::multiple_content_length:
      return "Content-Length stands twice with different values";
    case http::error::bad_transfer_encoding:
      return "Transfer-Encoding stands twice, or beside Content-Length";
    default:
      return "the request head is not valid HTTP/1.1";
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

// RFC 9112 section 3.2 and RFC 3986 section 3.2.2: the characters of a host and port. Empty is valid.
bool host_valid(std::string_view host) noexcept {
  return std::ranges::all_of(host, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-._~%!$&'()*+,;=:[]").contains(c);
  });
}

// Rules on the head as a whole that Beast leaves to its user.
std::string_view request_fault(const HttpRequest& request) {
  const std::size_t hosts = request.count("host");
  if (hosts > 1) return "the Host header stands more than once";
  if (hosts == 0 && request.version >= 11) return "the Host header is missing";
  if (!host_valid(request.header("host"))) return "the Host header is not a host and port";
  if (request.count("transfer-encoding") == 0) return {};
  if (!request.chunked) return "Transfer-Encoding must be chunked";
  if (request.version < 11) return "Transfer-Encoding needs HTTP/1.1";
  return {};
}

// Beast's string view is not the same type in all releases of Boost.
template <class View>
std::string_view plain_view(View view) noexcept {
  return {view.data(), view.size()};
}

template <class Parser>
void take_head(Parser& parser, HttpRequest& request) {
  const auto& head = parser.get();
  request.method = plain_view(head.method_string());
  request.target = plain_view(head.target());
  request.version = static_cast<int>(head.version());
  request.keep_alive = parser.keep_alive();
  request.chunked = parser.chunked();
  request.content_length = parser.content_length().value_or(0);
  for (const auto& field : head.base())
    request.headers.emplace_back(lower(plain_view(field.name_string())), plain_view(field.value()));
}

// `head` is complete, from the request line to the empty line. Returns what is wrong, or "".
std::string_view read_head(std::string_view head, HttpRequest& request) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(head.size(), UINT32_MAX)));
  parser.body_limit(boost::none);  // whoever reads bodies has a limit of its own
  boost::beast::error_code code;
  const std::size_t used = parser.put(boost::asio::buffer(head.data(), head.size()), code);
  if (code) return describe(static_cast<http::error>(code.value()));
  if (!parser.is_header_done() || used != head.size()) return describe(http::error::end_of_stream);
  take_head(parser, request);
  const std::string_view fault = request_fault(request);
  return fault.empty() ? split_target(request) : fault;
}

HttpParse refuse(Errc code, std::string detail) {
  HttpParse parse;
  parse.status = HttpParse::Status::error;
  parse.error.code = code;
  parse.error.detail = std::move(detail);
  if (code == Errc::head_too_large) parse.error.limit = "limits.head_bytes";
  return parse;
}

}  // namespace

std::string HttpRequest::header(std::string_view name) const {
  std::string joined;
  bool found = false;
  for (const auto& [key, value] : headers) {
    if (key != name) continue;
    if (found) joined += ", ";
    joined += value;
    found = true;
  }
  return joined;
}

std::size_t HttpRequest::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [&](const auto& header) { return header.first == name; }));
}

HttpParse parse_http_head(std::string_view text, std::size_t head_bytes_max) {
  const HeadScan scan = scan_head(text.substr(0, head_bytes_max));
  if (!scan.fault.empty()) return refuse(scan.code, std::string(scan.fault));
  if (scan.end == 0) {
    if (text.size() <= head_bytes_max) return {};
    return refuse(
        Errc::head_too_large,
        fmt::format("the request head is longer than limits.head_bytes ({}) allows", head_bytes_max));
  }
  HttpParse parse;
  const std::string_view fault = read_head(text.substr(scan.begin, scan.end - scan.begin), parse.request);
  if (!fault.empty()) return refuse(Errc::bad_request, std::string(fault));
  parse.status = HttpParse::Status::complete;
  parse.head_bytes = scan.end;
  return parse;
}

}  // namespace hubbub::wire
