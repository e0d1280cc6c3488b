// Promises of wire/plain_request.h: what it takes is valid JSON and the request that the DOM parser and
// read_request() make of it; what it leaves to them is the unusual.
#include "hubbub/wire/plain_request.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/rng.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

constexpr std::size_t kDepth = 8;

// Reads `message` with `fill` behind it, as a buffer may have anything there. If it is taken, checks that the
// slow way comes to the same.
bool taken(std::string_view message, char fill = ' ', std::size_t depth = kDepth) {
  std::string bytes(message);
  bytes.append(kReadPadding, fill);
  const std::string_view text = std::string_view(bytes).substr(0, message.size());
  RpcRequest plain;
  if (!read_plain_request(text, depth, plain)) return false;
  JsonParser parser(depth);
  const auto parsed = parser.parse(text);
  EXPECT_TRUE(parsed.has_value()) << message;
  if (!parsed) return true;
  std::string_view id;
  const auto request = read_request(text, *parsed, id);
  EXPECT_TRUE(request.has_value()) << message;
  if (!request) return true;
  EXPECT_EQ(plain.method, request->method) << message;
  EXPECT_EQ(plain.id, request->id) << message;
  EXPECT_EQ(plain.params, request->params) << message;
  if (plain.params.empty()) return true;
  const std::string whole = simdjson::minify(request->params_dom);
  plain.params_parser = &parser;
  const auto params = dom_of_params(plain);
  EXPECT_TRUE(params && simdjson::minify(*params) == whole) << message;
  return true;
}

std::string with_params(std::string_view params) {
  return R"({"jsonrpc":"2.0","id":1,"method":"m","params":)" + std::string(params) + "}";
}

const std::vector<std::string> kUsual = {
    R"({"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":1}})",
    R"({"jsonrpc":"2.0","method":"tick"})",
    R"({"id":"a-7","params":[1,2.5,-3e+2,true,false,null,"x"],"method":"","jsonrpc":"2.0"})",
    " {\t\"jsonrpc\" : \"2.0\" ,\r\n\"method\" : \"topic.publish\" , \"id\" : -0.0E-7 , \"params\" : [ ] } "
    "\n",
    R"({"jsonrpc":"2.0","id":"\"\\\/\b\f\n\r\t\u00e9\uABCD\ud7ff","method":"m","params":{"a\n":{"":[[],{}]}}})",
    R"({"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"m","params":[1e999,-1e-999]})",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xF0\x9F\x90\xBC\",\"params\":{\"\xC3\xA9\":"
    "\"\xE7\x86\x8A\"}}",
};

TEST(PlainRequest, takes_what_clients_write) {
  for (const std::string& text : kUsual) EXPECT_TRUE(taken(text)) << text;
}

TEST(PlainRequest, leaves_the_unusual_to_the_parser) {
  for (const std::string_view text : {
           R"([{"jsonrpc":"2.0","id":1,"method":"m"}])",
           R"({"jsonrpc":"2.0","id":1,"method":"m","extra":1})",
           R"({"jsonrpc":"2.0","id":1,"result":1})",
           R"({"jsonrpc":"2.0","id":1,"id":1,"method":"m"})",
           R"({"jsonrpc":"2.0","id":1,"method":"m","method":"m"})",
           R"({"jsonrpc":"2.0","jsonrpc":"2.0","method":"m"})",
           R"({"jsonrpc":"2.0","method":"m","params":[],"params":[]})",
           R"({"jsonrpc":"2.0","id":null,"method":"m"})",
           R"({"jsonrpc":"2.0","id":[1],"method":"m"})",
           R"({"jsonrpc":"2.0","id":1})",
           R"({"id":1,"method":"m"})",
           R"({"jsonrpc":"1.0","id":1,"method":"m"})",
           R"({"jsonrpc":2.0,"id":1,"method":"m"})",
           R"({"jsonrpc":"2.0","id":1,"method":7})",
           R"({"jsonrpc":"2.0","id":1,"method":"m","params":"p"})",
           R"({"jsonrpc":"2.0","id":1,"method":"m\u0062"})",
           R"({"json\u0072pc":"2.0","id":1,"method":"m"})",
           R"({"jsonrpc":"2.0","id":"\ud83d\udc3c","method":"m"})",
           "{}",
           "",
           " ",
           "1",
       })
    EXPECT_FALSE(taken(text)) << text;
  EXPECT_FALSE(taken(with_params('"' + std::string(kPlainRequestMax, 'x') + '"')));
  EXPECT_TRUE(taken(with_params("[\"" + std::string(900, 'x') + "\"]")));
  EXPECT_FALSE(taken(with_params("[\"" + std::string(kPlainRequestMax, 'x') + "\"]")));
}

TEST(PlainRequest, takes_nothing_that_is_not_json) {
  for (const std::string_view params : {"[01]",
                                        "[+1]",
                                        "[.5]",
                                        "[1.]",
                                        "[1e]",
                                        "[1e+]",
                                        "[-]",
                                        "[--1]",
                                        "[0x1]",
                                        "[1 2]",
                                        "[1,]",
                                        "[,1]",
                                        "[",
                                        "[1",
                                        "{",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{'a':1}",
                                        "{1:1}",
                                        "{\"a\":1]",
                                        "[1}",
                                        "[tru]",
                                        "[truex]",
                                        "[nul]",
                                        "[True]",
                                        "[NaN]",
                                        "[\"a]",
                                        "[\"\\x\"]",
                                        "[\"\\u12\"]",
                                        "[\"\\u12g4\"]",
                                        "[\"\\ud800\"]",
                                        "[\"\\udc00\\ud800\"]",
                                        "[\"\\\"]",
                                        "[\"a\nb\"]",
                                        "[\"\x01\"]",
                                        "[]]",
                                        "[]//c",
                                        "[]{}",
                                        "[\"\xFF\"]",
                                        "[\"\xC0\x80\"]",
                                        "[\"\xED\xA0\x80\"]",
                                        "[\"\xE7\x86\"]"})
    EXPECT_FALSE(taken(with_params(params))) << params;
  using namespace std::literals;
  for (const std::string_view text :
       {"{\"jsonrpc\":\"2.0\",\"method\":\"m\"}x"sv, "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}}"sv,
        "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}\0"sv, "{\"jsonrpc\":\"2.0\",\"method\":\"m\",}"sv,
        "{,\"jsonrpc\":\"2.0\",\"method\":\"m\"}"sv, "\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"method\":\"m\"}"sv,
        "{\"jsonrpc\":\"2.0\",\"method\":\"m\xFF\"}"sv,
        "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\0]}"sv,
        "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\"\\\0\"]}"sv,
        "{\"jsonrpc\" \"2.0\",\"method\":\"m\"}"sv})
    EXPECT_FALSE(taken(text)) << text;
}

TEST(PlainRequest, looks_at_nothing_behind_the_text) {
  for (const std::string& text : kUsual) {
    for (const char fill : {'1', 'e', '"', ']', '}', ',', ' ', '[', '{', '\\', '\0'}) {
      EXPECT_TRUE(taken(text, fill)) << text << fill;
      const std::size_t end = text.find_last_of('}');
      for (std::size_t size = 0; size <= end; ++size)
        EXPECT_FALSE(taken(std::string_view(text).substr(0, size), fill)) << text.substr(0, size) << fill;
    }
  }
}

TEST(PlainRequest, depth_limit_is_exact) {
  for (const std::size_t depth :
       {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{64}, std::size_t{100}}) {
    for (const std::size_t levels : {depth - 1, depth, depth + 1}) {
      if (levels == 0) continue;
      std::string nested;
      for (std::size_t i = 0; i < levels; ++i) nested += i % 2 ? "[" : "{\"a\":";
      nested += "1";
      for (std::size_t i = levels; i-- > 0;) nested += i % 2 ? "]" : "}";
      // The request itself is a level; and beyond 65 the parser has to do it.
      EXPECT_EQ(taken(with_params(nested), ' ', depth), levels < depth && levels <= 64) << depth << nested;
    }
  }
  EXPECT_TRUE(taken(R"({"jsonrpc":"2.0","method":"m"})", ' ', 1));
  EXPECT_TRUE(taken(with_params("[[],[[]],{},[{}]]"), ' ', 4));
}

TEST(PlainRequest, agrees_with_the_parser_on_texts_that_were_damaged) {
  SeededRng rng(29);
  const std::string_view bytes = "{}[]\",:\\ 0123456789.eE+-tfnulaersxd/\n\t\x01\x7F\xC3\xA9\xFF";
  std::size_t still_taken = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text = kUsual[rng.below(kUsual.size())];
    for (std::uint64_t edits = 1 + rng.below(3); edits > 0 && !text.empty(); --edits) {
      const std::size_t at = rng.below(text.size());
      const char byte = bytes[rng.below(bytes.size())];
      switch (rng.below(4)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1 + rng.below(3));
          break;
        default:
          text.insert(at, text, rng.below(text.size()), 1 + rng.below(12));
      }
    }
    still_taken += taken(text, bytes[rng.below(bytes.size())]);
  }
  EXPECT_GT(still_taken, 3000u);  // else the rounds prove little
}

}  // namespace
}  // namespace hubbub::wire
