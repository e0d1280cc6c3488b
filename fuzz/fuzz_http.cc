// HTTP heads: the outcome does not depend on how the bytes were cut; what is accepted is sane; what is sane
// can be asked for a handshake. The first byte chooses the limit on the head and where the cuts fall.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "hubbub/base/assert.h"
#include "hubbub/base/rng.h"
#include "hubbub/wire/handshake.h"
#include "hubbub/wire/http_head.h"

namespace {

using namespace hubbub;
using namespace hubbub::wire;

HttpParse parse_cut(std::string_view text, std::size_t limit, std::uint64_t seed) {
  SeededRng rng(seed);
  for (std::size_t size = 0;;) {
    HttpParse parse = parse_http_head(text.substr(0, size), limit);
    if (parse.status != HttpParse::Status::need_more || size == text.size()) return parse;
    size = std::min(text.size(), size + 1 + static_cast<std::size_t>(rng.below(seed % 16 + 1)));
  }
}

void check_same(const HttpParse& a, const HttpParse& b) {
  HUBBUB_ASSERT(a.status == b.status && a.head_bytes == b.head_bytes);
  HUBBUB_ASSERT(a.error.code == b.error.code && a.error.detail == b.error.detail);
  HUBBUB_ASSERT(a.request.headers == b.request.headers && a.request.path == b.request.path);
}

bool clean(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 || c == '\t') && byte != 0x7F;
  });
}

void check_accepted(const HttpParse& parse, std::string_view text, std::size_t limit) {
  HUBBUB_ASSERT(parse.head_bytes <= limit && text.substr(0, parse.head_bytes).ends_with("\r\n\r\n"));
  const HttpRequest& request = parse.request;
  HUBBUB_ASSERT(!request.method.empty() && !request.target.empty() && !request.path.empty());
  HUBBUB_ASSERT(request.version == 10 || request.version == 11);
  HUBBUB_ASSERT(!(request.chunked && request.content_length > 0));
  HUBBUB_ASSERT(request.count("host") == 1 || request.version == 10);
  for (const auto& [name, value] : request.headers) {
    HUBBUB_ASSERT(!name.empty() && clean(value));
    HUBBUB_ASSERT(
        std::ranges::none_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || c <= ' ' || c == ':'; }));
  }
  static_cast<void>(request.query_param("session"));
}

void check_handshake(const HttpRequest& request) {
  HandshakeSettings settings;
  settings.subprotocols = {"hubbub.v1"};
  const auto result = accept_handshake(request, settings);
  if (!result) {
    HUBBUB_ASSERT(result.error().info().http_status >= 400);
    HUBBUB_ASSERT(format_http_response(http_refusal(result.error())).starts_with("HTTP/1.1 4"));
    return;
  }
  HUBBUB_ASSERT(request.method == "GET" && result->response.starts_with("HTTP/1.1 101 "));
  HUBBUB_ASSERT(result->response.find("\r\n\r\n") == result->response.size() - 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t limit = choice % 4 == 0 ? choice : 4096;

  const HttpParse whole = parse_http_head(text, limit);
  check_same(whole, parse_cut(text, limit, 0));
  check_same(whole, parse_cut(text, limit, choice));
  if (whole.status == HttpParse::Status::complete) {
    check_accepted(whole, text, limit);
    check_handshake(whole.request);
  }
  return 0;
}
