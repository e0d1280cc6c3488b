// JSON in and out: a validating parser over simdjson's DOM whose scratch is reused, raw slices of members of
// validated text, and a small writer. Own code only where simdjson 3.0 has none: slicing and writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "hubbub/base/error.h"

namespace hubbub::wire {

namespace dom = simdjson::dom;

// Texts longer than this are rare: scratch grown for one is freed when the next shorter text comes.
inline constexpr std::size_t kScratchKeep = 256 * 1024;

// Validates whole texts and gives their DOM. One per shard; not thread-safe. Scratch memory grows to the
// longest text seen, and is let go again after texts longer than kScratchKeep.
class JsonParser {
 public:
  explicit JsonParser(std::size_t depth_max);
  ~JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;

  // `text` must have wire::kReadPadding readable bytes behind it. The element lives until the next parse.
  // Errors: parse_error with a detail (what, and for depth the limit's name "limits.json_depth"). Numbers
  // beyond 64 bits or beyond double are valid JSON (RFC 8259 section 6) though simdjson refuses them: such a
  // text is parsed from a private copy in which each such number stands as the largest double; the raw text
  // is untouched, so slices still carry the number byte for byte.
  [[nodiscard]] Result<dom::element> parse(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What numbers beyond double's range read as (see JsonParser::parse).
inline constexpr double kNumberTooLarge = 1.7976931348623157e308;

// Walks the members of an object or the items of an array in *validated* JSON text, giving raw slices without
// parsing again. Behaviour on text that is not valid JSON is to stop early, never to read outside.
class JsonSlices {
 public:
  // `text` starts (after white space) with '{' or '['; anything else: no slices.
  explicit JsonSlices(std::string_view text) noexcept;
  // False at the end. key() is the raw text between the quotes (escapes not decoded), "" for arrays.
  [[nodiscard]] bool next() noexcept;
  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  [[nodiscard]] std::string_view value() const noexcept { return value_; }  // no surrounding white space

 private:
  [[nodiscard]] bool step() noexcept;

  std::string_view text_;
  std::size_t at_ = 0;
  bool object_ = false;
  std::string_view key_;
  std::string_view value_;
};

// Compares a raw key slice (escapes not decoded) with a plain name, decoding escapes where there are any.
[[nodiscard]] bool json_key_equals(std::string_view raw_key, std::string_view name);

// Appends `text` as a JSON string with quotes; `text` must be valid UTF-8. Escapes '"', '\\' and
// U+0000-U+001F.
void append_json_string(std::string& out, std::string_view text);
void append_json_int(std::string& out, std::int64_t value);
void append_json_uint(std::string& out, std::uint64_t value);
// Shortest text that reads back equal; NaN and infinities become null.
void append_json_double(std::string& out, double value);

// RFC 3339 UTC with milliseconds of `wall_ms` since 1970: "2026-11-23T10:00:00.000Z".
[[nodiscard]] std::string format_time(std::int64_t wall_ms);

}  // namespace hubbub::wire
