#include "hubbub/wire/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "hubbub/base/assert.h"
#include "hubbub/wire/json_number.h"
#include "hubbub/wire/json_scan.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

static_assert(simdjson::SIMDJSON_PADDING <= kReadPadding, "messages carry the padding that simdjson reads");

// Scratch starts here and doubles: texts that grow bit by bit cost few allocations.
constexpr std::size_t kScratchMin = 4 * 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Newer releases of simdjson report integers beyond 64 bits with a code of their own, which older ones do not
// have.
template <class Code>
bool is_number_error(Code code) {
  if constexpr (requires { Code::BIGINT_ERROR; }) {
    if (code == Code::BIGINT_ERROR) return true;
  }
  return code == Code::NUMBER_ERROR;
}

std::string_view describe(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return "the text is empty";
    case simdjson::UTF8_ERROR:
      return "the text is not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a string holds an unescaped control character";
    case simdjson::STRING_ERROR:
      return "a string holds a bad escape or a lone surrogate";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "the text holds a word other than true, false and null";
    case simdjson::CAPACITY:
      return "the text is too long for the JSON parser";
    default:
      return is_number_error(code) ? "a number is not valid JSON" : "the text is not valid JSON";
  }
}

}  // namespace

struct JsonParser::State {
  explicit State(std::size_t depth) : depth_max(depth) {}

  std::size_t depth_max;
  dom::parser parser;
  std::string rewritten;  // the last text with huge numbers, those replaced

  simdjson::error_code run(std::string_view text, std::size_t depth, dom::element& element);
  simdjson::error_code run_exact(std::string_view text, dom::element& element);
  simdjson::error_code reserve(std::size_t size, std::size_t depth);
  Error error_of(simdjson::error_code code) const;
};

// Keeps parser and document large enough for `size` bytes and exactly `depth` levels.
simdjson::error_code JsonParser::State::reserve(std::size_t size, std::size_t depth) {
  if (parser.capacity() > kScratchKeep && size <= kScratchKeep) {
    parser = dom::parser();
    rewritten = {};
  }
  std::size_t capacity = parser.capacity();
  if (size > capacity) {
    if (size > parser.max_capacity()) return simdjson::CAPACITY;
    capacity = std::min(std::max({size, 2 * capacity, kScratchMin}), parser.max_capacity());
    // What the limit on messages makes the common case stays in; beyond, exactly what is needed.
    if (size <= kScratchKeep) capacity = std::min(capacity, kScratchKeep);
  }
  if (capacity != parser.capacity() || depth != parser.max_depth()) {
    if (const auto code = parser.allocate(capacity, depth)) return code;
  }
  return parser.doc.capacity() < capacity ? parser.doc.allocate(capacity) : simdjson::SUCCESS;
}

simdjson::error_code JsonParser::State::run(std::string_view text, std::size_t depth, dom::element& element) {
  if (const auto code = reserve(text.size(), depth)) return code;
  return parser.parse(text.data(), text.size(), false).get(element);
}

// simdjson's bound counts a container when it finds something inside: with bound n, containers that are not
// empty reach level n-1 and empty ones n. So a text that passes with depth_max is within it, and one that
// fails may still be: those few are counted here and parsed again with one level more.
simdjson::error_code JsonParser::State::run_exact(std::string_view text, dom::element& element) {
  const simdjson::error_code code = run(text, depth_max, element);
  if (code != simdjson::DEPTH_ERROR || scan::deeper_than(text, depth_max)) return code;
  return run(text, depth_max + 1, element);
}

Error JsonParser::State::error_of(simdjson::error_code code) const {
  Error error;
  error.code = code == simdjson::MEMALLOC ? Errc::internal_error : Errc::parse_error;
  if (code == simdjson::DEPTH_ERROR) {
    error.detail = fmt::format("the JSON nests deeper than limits.json_depth ({}) allows", depth_max);
    error.limit = "limits.json_depth";
  } else {
    error.detail = code == simdjson::MEMALLOC ? "no memory for the JSON parser" : describe(code);
  }
  return error;
}

JsonParser::JsonParser(std::size_t depth_max) : state_(std::make_unique<State>(depth_max)) {
  HUBBUB_ASSERT(depth_max > 0);
}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

Result<dom::element> JsonParser::parse(std::string_view text) {
  State& state = *state_;
  // Newer simdjson skips a byte order mark; RFC 8259 section 8.1 leaves that to us, and JSON-RPC peers do not
  // send one.
  if (text.starts_with(kByteOrderMark))
    return fail(Errc::parse_error, "the text begins with a byte order mark");
  if (text.empty()) return std::unexpected(state.error_of(simdjson::EMPTY));
  dom::element element;
  simdjson::error_code code = state.run_exact(text, element);
  std::size_t size = 0;
  if (is_number_error(code) && replace_huge_numbers(text, state.rewritten, size))
    code = state.run_exact(std::string_view(state.rewritten).substr(0, size), element);
  if (code != simdjson::SUCCESS) return std::unexpected(state.error_of(code));
  return element;
}

}  // namespace hubbub::wire
