#include "hubbub/wire/plain_request.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "hubbub/wire/json_scan.h"
#include "hubbub/wire/utf8.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

using scan::Word;

// A place in the text; null: the text is not for this reader. What reads an x takes the place of its first
// byte and gives the place behind it, or null. A few bytes behind the text may be taken for part of it, never
// more than are readable there: whatever repeats looks where the text ends. read_plain_request() sees in the
// end that the last place is not the text's end.
using Place = const char*;

// Where the text ends, and whether its strings are ASCII. Places do not live in it, so that they stay in
// registers.
struct Text {
  Place end;
  unsigned high = 0;  // not 0: there may be a byte beyond ASCII
};

// The bytes of a literal, compared without a call.
template <std::size_t N>
[[nodiscard]] bool begins(Place at, const char (&word)[N]) {
  return std::memcmp(at, word, N - 1) == 0;
}
[[nodiscard]] std::string_view between(Place begin, Place end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

[[nodiscard]] Place skip_space(const Text& text, Place at) {
  while (static_cast<unsigned char>(*at) <= ' ' && scan::is_space(*at) && at < text.end) ++at;
  return at;
}

[[nodiscard]] Place skip_digits(const Text& text, Place at) {
  while (at < text.end && scan::is_digit(*at)) ++at;
  return at;
}

static_assert(2 * sizeof(Word) <= kReadPadding, "so much is read where the text's last byte stands");

// What ends a run of plain string bytes: a quote, a backslash or a control character.
[[nodiscard]] Place skip_plain(Text& text, Place at) {
#ifdef __SSE2__
  for (; at < text.end; at += sizeof(__m128i)) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const auto high = static_cast<unsigned>(_mm_movemask_epi8(bytes));
    const auto marks =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls)));
    text.high |= high & (marks ^ (marks - 1));  // up to the first mark; all where there is none
    if (marks == 0) continue;
    at += std::countr_zero(marks);
    break;
  }
#else
  for (; at < text.end && !scan::needs_escape(*at); ++at)
    text.high |= static_cast<unsigned char>(*at) & 0x80U;
#endif
  return at < text.end ? at : nullptr;
}

// The backslash of an escape. Surrogates come in pairs that have to fit: not for this reader.
[[nodiscard]] Place take_escape(const Text& text, Place at) {
  ++at;
  if (at == text.end || !std::string_view("\"\\/bfnrtu").contains(*at)) return nullptr;
  if (*at++ != 'u') return at;
  if (text.end - at < 4 || ((*at | 0x20) == 'd' && at[1] > '7')) return nullptr;
  for (const Place end = at + 4; at < end; ++at)
    if (!scan::is_digit(*at) && ((*at | 0x20) < 'a' || (*at | 0x20) > 'f')) return nullptr;
  return at;
}

[[gnu::noinline]] Place take_escaped_rest(Text& text, Place at) {
  while (at && *at != '"') {
    if (*at != '\\') return nullptr;
    at = take_escape(text, at);
    if (at) at = skip_plain(text, at);
  }
  return at ? at + 1 : nullptr;
}

[[nodiscard]] Place take_string(Text& text, Place at) {
  if (*at != '"') return nullptr;
  at = skip_plain(text, at + 1);
  if (at && *at == '"') [[likely]]
    return at + 1;
  return take_escaped_rest(text, at);
}

// RFC 8259 section 6. How large it is does not matter: see JsonParser::parse.
[[nodiscard]] Place take_number(const Text& text, Place at) {
  const auto digits = [&text](Place from) {
    const Place end = skip_digits(text, from);
    return end == from ? nullptr : end;
  };
  if (*at == '-') ++at;
  at = *at == '0' ? at + 1 : digits(at);
  if (at && *at == '.') at = digits(at + 1);
  if (!at || (*at | 0x20) != 'e') return at;
  ++at;
  if (*at == '+' || *at == '-') ++at;
  return digits(at);
}

[[nodiscard]] Place take_scalar(Text& text, Place at) {
  switch (*at) {
    case '"':
      return take_string(text, at);
    case 't':
      return begins(at, "true") ? at + 4 : nullptr;
    case 'f':
      return begins(at, "false") ? at + 5 : nullptr;
    case 'n':
      return begins(at, "null") ? at + 4 : nullptr;
    default:
      return take_number(text, at);
  }
}

// Behind the colon that follows a key, where the value begins.
[[nodiscard]] Place take_colon(const Text& text, Place at) {
  at = skip_space(text, at);
  return *at == ':' ? skip_space(text, at + 1) : nullptr;
}

// The key of a member and what follows it, to the first byte of the value.
[[nodiscard]] Place take_key(Text& text, Place at) {
  at = take_string(text, at);
  if (!at) return nullptr;
  return take_colon(text, at);
}

// An object or array with all that is in it, at most `depth_max` levels.
[[nodiscard]] Place take_container(Text& text, Place at, std::size_t depth_max) {
  std::size_t depth = 0;
  Word objects = 0;  // bit 0: the innermost container is an object
  const auto open_end = [&objects] { return (objects & 1) != 0 ? '}' : ']'; };
  for (;;) {
    // Here a value begins.
    if (at >= text.end) return nullptr;
    if (scan::is_open(*at)) {
      if (depth++ == depth_max) return nullptr;
      objects = objects << 1 | Word{*at == '{'};
      at = skip_space(text, at + 1);
      if (*at != open_end()) {
        if ((objects & 1) != 0) at = take_key(text, at);
        if (!at) return nullptr;
        continue;
      }
    } else {
      at = take_scalar(text, at);
      if (!at) return nullptr;
      at = skip_space(text, at);
    }
    // And here one has ended, or a container is empty.
    while (*at == open_end() && at < text.end) {
      objects >>= 1;
      if (--depth == 0) return at + 1;
      at = skip_space(text, at + 1);
    }
    if (*at != ',') return nullptr;
    at = skip_space(text, at + 1);
    if ((objects & 1) != 0) at = take_key(text, at);
    if (!at) return nullptr;
  }
}

// A string without escapes; `inside` is what stands between its quotes.
[[nodiscard]] Place take_plain_string(Text& text, Place at, std::string_view& inside) {
  if (*at != '"') return nullptr;
  const Place end = skip_plain(text, at + 1);
  if (!end || *end != '"') return nullptr;
  inside = between(at + 1, end);
  return end + 1;
}

enum Member : unsigned { kVersion = 1, kMethod = 2, kId = 4, kParams = 8 };

// Marks the member as seen; false if it was.
[[nodiscard]] bool first(unsigned& seen, Member member) {
  const bool again = (seen & member) != 0;
  seen |= member;
  return !again;
}

[[nodiscard]] Place take_id(Text& text, Place at, RpcRequest& request) {
  const Place end = *at == '"' ? take_string(text, at) : take_number(text, at);
  if (end) request.id = between(at, end);
  return end;
}

[[nodiscard]] Place take_params(Text& text, Place at, RpcRequest& request, std::size_t depth_max) {
  if (!scan::is_open(*at)) return nullptr;
  const Place end = take_container(text, at, depth_max);
  if (end) request.params = between(at, end);
  return end;
}

[[nodiscard]] Place take_member(Text& text, Place at, RpcRequest& request, unsigned& seen,
                                std::size_t depth_max) {
  if (begins(at, "\"id\"")) {
    at = take_colon(text, at + 4);
    return at && first(seen, kId) ? take_id(text, at, request) : nullptr;
  }
  if (begins(at, "\"method\"")) {
    at = take_colon(text, at + 8);
    return at && first(seen, kMethod) ? take_plain_string(text, at, request.method) : nullptr;
  }
  if (begins(at, "\"params\"")) {
    at = take_colon(text, at + 8);
    return at && first(seen, kParams) ? take_params(text, at, request, depth_max) : nullptr;
  }
  if (!begins(at, "\"jsonrpc") || at[8] != '"') return nullptr;
  at = take_colon(text, at + 9);
  return at && first(seen, kVersion) && begins(at, "\"2.0\"") ? at + 5 : nullptr;
}

}  // namespace

bool read_plain_request(std::string_view message, std::size_t depth_max, RpcRequest& request) {
  constexpr std::size_t kDepthBits = 64;  // of take_container
  if (message.size() > kPlainRequestMax || depth_max == 0) return false;
  // The request itself is a level.
  const std::size_t params_depth = std::min(depth_max - 1, kDepthBits);
  request.id = request.params = {};
  Text text{message.data() + message.size()};
  unsigned seen = 0;
  Place at = skip_space(text, message.data());
  if (*at != '{') return false;
  do {
    at = take_member(text, skip_space(text, at + 1), request, seen, params_depth);
    if (!at) return false;
    at = skip_space(text, at);
  } while (*at == ',');
  if (*at != '}' || skip_space(text, at + 1) != text.end) return false;
  return (seen & (kVersion | kMethod)) == (kVersion | kMethod) && (text.high == 0 || utf8_valid(message));
}

}  // namespace hubbub::wire
