// permessage-deflate on arbitrary bytes. Byte 0 chooses window, level and takeover; the rest is taken as a
// message, as a compressed body, and as an offer. Oracles: inflate(deflate(x)) == x within the agreed window;
// inflating anything stays within the limit and does not depend on the cut; an accepted offer's response
// names exactly what was agreed.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hubbub/base/rng.h"
#include "hubbub/wire/deflate.h"
#include "hubbub/wire/ws_codec.h"

namespace {

using namespace hubbub::wire;

constexpr std::size_t kLimit = 20000;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_deflate: %s\n", what);
  std::abort();
}

struct Choice {
  int bits;
  int level;
  bool keep;
};

struct Inflated {
  InflateStatus status = InflateStatus::ok;
  std::string text;
};

// The body in one piece, or in random ones.
Inflated inflate(Inflater& inflater, std::string_view body, std::size_t limit, bool cut) {
  Inflated result;
  hubbub::SeededRng rng(body.size());
  while (!body.empty() && result.status == InflateStatus::ok) {
    const std::size_t size = cut ? std::min<std::size_t>(body.size(), 1 + rng.below(20)) : body.size();
    result.status = inflater.feed(body.substr(0, size), result.text, limit);
    body.remove_prefix(size);
  }
  if (result.status == InflateStatus::ok) result.status = inflater.finish(result.text, limit);
  require(result.text.size() <= limit, "inflated past the limit");
  require(result.text.capacity() <= limit + kReadPadding, "grew past the limit");
  return result;
}

// Three messages through one pair, so that takeover has something to take over.
void round_trip(std::string_view message, const Choice& choice) {
  Deflater deflater(choice.level, choice.bits, choice.keep);
  Inflater inflater(choice.bits, choice.keep);
  std::string repeated(message);
  while (repeated.size() < 600 && !message.empty()) repeated += message;  // beyond the smallest window
  for (const std::string_view text : {message, std::string_view(repeated), message}) {
    const Inflated result = inflate(inflater, deflater.compress(text), text.size() + 1, false);
    require(result.status == InflateStatus::ok && result.text == text, "round trip");
  }
}

void inflate_anything(std::string_view body, const Choice& choice) {
  Inflater whole(choice.bits, choice.keep);
  Inflater cut(choice.bits, choice.keep);
  for (int message = 0; message < 2; ++message) {
    const Inflated a = inflate(whole, body, kLimit, false);
    const Inflated b = inflate(cut, body, kLimit, true);
    require(a.status == b.status, "the cut changes the verdict");
    require(a.status != InflateStatus::ok || a.text == b.text, "the cut changes the text");
  }
  const std::string hello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
  require(inflate(whole, hello, kLimit, false).text == "Hello", "left unusable");
}

void negotiate(std::string_view offers, bool takeover) {
  const auto agreement = negotiate_deflate(offers, {.context_takeover = takeover});
  if (!agreement) return;
  const auto& response = agreement->response;
  require(response.starts_with("permessage-deflate") && response.size() < 200, "response");
  const auto again = negotiate_deflate(response, {.context_takeover = true});
  require(again && again->response == response, "our response is an offer we would answer alike");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static constexpr int kLevels[] = {1, 6, 9, 4};
  const Choice choice{8 + (data[0] & 7), kLevels[(data[0] >> 3) & 3], (data[0] & 0x20) != 0};
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  round_trip(rest, choice);
  inflate_anything(rest, choice);
  negotiate(rest, choice.keep);
  return 0;
}
