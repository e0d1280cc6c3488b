// The answering half of http_head.h: responses as bytes, and the refusal that an error gets.
#include <algorithm>
#include <array>

#include "hubbub/wire/http_head.h"

namespace hubbub::wire {
namespace {

struct Reason {
  int status;
  std::string_view text;
};

constexpr std::array kReasons = {
    Reason{101, "Switching Protocols"},
    Reason{200, "OK"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{301, "Moved Permanently"},
    Reason{302, "Found"},
    Reason{304, "Not Modified"},
    Reason{308, "Permanent Redirect"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{406, "Not Acceptable"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{411, "Length Required"},
    Reason{413, "Content Too Large"},
    Reason{415, "Unsupported Media Type"},
    Reason{421, "Misdirected Request"},
    Reason{426, "Upgrade Required"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{499, "Client Closed Request"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
};

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const std::size_t from = out.size();
  out += value;
  // A line break in a value would begin a header of somebody else's choosing.
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), breaks, ' ');
  out += "\r\n";
}

// RFC 9110 section 8.6: these have no content, and say no length.
bool has_length(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

}  // namespace

std::string_view http_reason(int status) noexcept {
  const auto found = std::ranges::find(kReasons, status, &Reason::status);
  return found != kReasons.end() ? found->text : std::string_view("Unknown");
}

std::string format_http_response(const HttpResponse& response, bool head_only) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  out += http_reason(response.status);
  out += "\r\n";
  if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
  bool upgrade = false;
  for (const auto& [name, value] : response.headers) {
    upgrade = upgrade || name == "Upgrade";
    append_header(out, name, value);
  }
  if (has_length(response.status)) append_header(out, "Content-Length", std::to_string(response.body.size()));
  // RFC 9110 section 7.8: whoever sends Upgrade lists it in Connection.
  std::string connection = response.keep_alive ? "keep-alive" : "close";
  if (upgrade) connection += ", Upgrade";
  append_header(out, "Connection", connection);
  out += "\r\n";
  if (!head_only && has_length(response.status)) out += response.body;
  return out;
}

HttpResponse http_refusal(const Error& error) {
  HttpResponse response;
  const int status = error.info().http_status;
  response.status = status != 0 ? status : 500;
  response.keep_alive = false;
  response.content_type = "text/plain; charset=utf-8";
  response.body = error.code == Errc::internal_error ? error.info().text : error.message();
  response.body += '\n';
  if (error.retry_after_ms >= 0) {
    const std::int64_t seconds = error.retry_after_ms / 1000 + (error.retry_after_ms % 1000 != 0 ? 1 : 0);
    response.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(seconds, 1)));
  }
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (response.status == 405) response.headers.emplace_back("Allow", "GET");
  if (response.status == 426) {
    response.headers.emplace_back("Upgrade", "websocket");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
  }
  return response;
}

}  // namespace hubbub::wire
