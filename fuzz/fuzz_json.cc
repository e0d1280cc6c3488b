// JSON: the parser agrees with simdjson's own on what is JSON (but for huge numbers and the depth bound),
// slices of any bytes stay inside them, and slices of a valid text are valid and pair up with the DOM. Then
// the same text as a JSON-RPC request, and as a string to write.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hubbub/base/assert.h"
#include "hubbub/wire/json.h"
#include "hubbub/wire/json_scan.h"
#include "hubbub/wire/jsonrpc.h"
#include "hubbub/wire/plain_request.h"
#include "hubbub/wire/ws_codec.h"

namespace {

using hubbub::Result;
using namespace hubbub::wire;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kDepth = 8;
constexpr std::size_t kNesting = 4;  // how far check_slices descends

std::string padded(std::string_view text) {
  std::string copy(text);
  copy.append(kReadPadding, '1');
  return copy;
}

// The shortest number out of range, 1e309, takes five bytes.
bool holds_long_number(std::string_view text) {
  std::size_t run = 0;
  for (const char c : text) {
    run = scan::is_digit(c) || std::string_view("+-.eE").contains(c) ? run + 1 : 0;
    if (run >= 5) return true;
  }
  return false;
}

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// In a block of exactly the text's size, so that the address sanitizer sees a read outside.
void check_bounds(std::string_view text) {
  const auto block = std::make_unique<char[]>(text.size());
  text.copy(block.get(), text.size());
  const std::string_view exact(block.get(), text.size());
  std::size_t bytes = 0;
  for (JsonSlices slices(exact); slices.next();) {
    HUBBUB_ASSERT(inside(slices.key(), exact) && inside(slices.value(), exact) && !slices.value().empty());
    bytes += slices.key().size() + slices.value().size();
    static_cast<void>(json_key_equals(slices.key(), "method"));
  }
  HUBBUB_ASSERT(bytes <= text.size());
}

void check_slices(std::string_view text, dom::element element, std::size_t levels) {
  JsonSlices slices(text);
  const auto check = [&](std::string_view key, dom::element item) {
    HUBBUB_ASSERT(slices.next() && json_key_equals(slices.key(), key));
    JsonParser parser(kDepth);
    const std::string copy = padded(slices.value());
    const auto parsed = parser.parse(std::string_view(copy).substr(0, slices.value().size()));
    HUBBUB_ASSERT(parsed && simdjson::minify(*parsed) == simdjson::minify(item));
    if (levels > 0) check_slices(slices.value(), *parsed, levels - 1);
  };
  dom::object object;
  dom::array array;
  if (element.get(object) == simdjson::SUCCESS) {
    for (const auto field : object) check(field.key, field.value);
  } else if (element.get(array) == simdjson::SUCCESS) {
    for (const auto item : array) check({}, item);
  }
  HUBBUB_ASSERT(!slices.next());
}

void check_request(std::string_view text, dom::element element) {
  std::string_view id;
  const auto request = read_request(text, element, id);
  HUBBUB_ASSERT(!id.empty() && (id == "null" || inside(id, text)));
  HUBBUB_ASSERT(!request ||
                (inside(request->params, text) && (request->is_notification() || request->id == id)));
}

// What the short way takes is what the long way makes of it.
void check_plain_request(std::string_view text, const Result<dom::element>& parsed) {
  RpcRequest plain;
  if (!read_plain_request(text, kDepth, plain)) return;
  HUBBUB_ASSERT(parsed.has_value());
  std::string_view id;
  const auto request = read_request(text, *parsed, id);
  HUBBUB_ASSERT(request && request->method == plain.method && request->id == plain.id &&
                request->params == plain.params);
  if (plain.params.empty()) return;
  JsonParser parser(kDepth);
  plain.params_parser = &parser;
  const auto params = dom_of_params(plain);
  HUBBUB_ASSERT(params && simdjson::minify(*params) == simdjson::minify(request->params_dom));
}

// What is written as a string reads back the same.
void check_writer(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return;
  std::string out;
  append_json_string(out, text);
  const std::string copy = padded(out);
  JsonParser parser(kDepth);
  const auto parsed = parser.parse(std::string_view(copy).substr(0, out.size()));
  std::string_view back;
  HUBBUB_ASSERT(parsed && parsed->get(back) == simdjson::SUCCESS && back == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string copy = padded(text);
  const std::string_view view = std::string_view(copy).substr(0, size);

  static JsonParser parser(kDepth);  // one for all inputs: no input may spoil it for the next
  const auto parsed = parser.parse(view);
  dom::parser plain;
  const auto code = plain.parse(copy.data(), size, false).error();
  if (code == simdjson::SUCCESS && !text.starts_with(kByteOrderMark)) {
    HUBBUB_ASSERT(parsed.has_value() != scan::deeper_than(text, kDepth));
  } else if (parsed) {
    HUBBUB_ASSERT(holds_long_number(text));
  }

  check_bounds(text);
  check_writer(text);
  check_plain_request(view, parsed);
  if (parsed) {
    check_slices(view, *parsed, kNesting);
    check_request(view, *parsed);
  }
  return 0;
}
