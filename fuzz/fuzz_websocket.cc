// The WebSocket decoder on arbitrary streams. Byte 0 chooses the settings, byte 1 the cuts, the rest is what
// a client sends. Oracles: the same events whole, byte by byte and cut; no message, and no memory, beyond the
// limit; what came out, encoded again, comes out again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/unit/wire/ws_feed.h"

namespace {

using namespace hubbub::wire;
using testing::Cuts;
using testing::Seen;
using Kind = DecoderEvent::Kind;
using Events = std::vector<Seen>;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_websocket: %s\n", what);
  std::abort();
}

struct Choice {
  std::size_t limit;
  bool deflate;
  DeflateParams params;
};

Choice choose(unsigned byte) {
  static constexpr std::size_t kLimits[] = {65536, 1000, 125, 1};
  Choice choice{kLimits[byte & 3], (byte & 4) != 0, {}};
  choice.params.client_no_context_takeover = (byte & 8) == 0;
  choice.params.client_max_window_bits = static_cast<std::uint8_t>(8 + (byte >> 4) % 8);
  return choice;
}

// The bound of Decoder's header on held bytes: a message of the limit, its compressed form, and the object
// itself.
std::size_t held_max(std::size_t limit) { return 2 * limit + limit / 8 + 64 + 2 * kReadPadding + 1024; }

Events run(const Choice& choice, std::string_view stream, Cuts cuts) {
  Inflater shared(15, false);
  Decoder decoder({choice.limit, choice.deflate ? &choice.params : nullptr}, &shared);
  const Events events = testing::decode(decoder, stream, cuts, [&] {
    require(decoder.held_bytes() <= held_max(choice.limit), "holds more than the limit");
  });
  for (const Seen& event : events)
    require(event.payload.size() <= std::max<std::size_t>(choice.limit, 125), "over limit");
  return events;
}

std::string encode(const Events& events) {
  std::string out;
  for (const Seen& event : events) {
    if (event.kind == Kind::text) append_client_frame(out, Opcode::text, event.payload, 0x01020304);
    if (event.kind == Kind::binary) append_client_frame(out, Opcode::binary, event.payload, 0xFF00FF00);
    if (event.kind == Kind::ping) append_client_frame(out, Opcode::ping, event.payload, 0);
    if (event.kind == Kind::pong) append_client_frame(out, Opcode::pong, event.payload, 0x80808080);
    if (event.kind == Kind::close) {
      const std::string code{static_cast<char>(event.close_code >> 8),
                             static_cast<char>(event.close_code & 0xFF)};
      append_client_frame(out, Opcode::close, event.close_code == 1005 ? "" : code + event.payload,
                          0xDEADBEEF);
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Choice choice = choose(data[0]);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  Events events = run(choice, stream, Cuts::whole());
  require(run(choice, stream, Cuts::of(1)) == events, "byte by byte differs from whole");
  require(run(choice, stream, Cuts::random(data[1])) == events, "cut differs from whole");
  if (!events.empty() && events.back().kind == Kind::error) events.pop_back();
  require(run(choice, encode(events), Cuts::whole()) == events, "encoded again, it decodes differently");
  return 0;
}
