// Feeding a Decoder one stream of bytes in different cuts, for tests and fuzz targets: the events must not
// depend on them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/rng.h"
#include "hubbub/wire/ws_decoder.h"

namespace hubbub::wire::testing {

// An event that outlives its buffers.
struct Seen {
  DecoderEvent::Kind kind{};
  std::string payload;
  std::uint16_t close_code = 0;
  Errc error{};
  friend bool operator==(const Seen&, const Seen&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << "{kind " << static_cast<int>(seen.kind) << ", " << seen.payload.size() << " bytes '"
             << seen.payload.substr(0, 60) << "', close " << seen.close_code << ", "
             << error_info(seen.error).name << "}";
}

// Bytes of the stream that go into one feed.
class Cuts {
 public:
  static Cuts whole() { return Cuts(0, 0); }
  static Cuts of(std::size_t size) { return Cuts(size, 0); }
  static Cuts random(std::uint64_t seed) { return Cuts(0, seed + 1); }

  std::size_t next(std::size_t left) {
    if (seed_ != 0)
      return std::min<std::size_t>(left, 1 + static_cast<std::size_t>(rng_.below(1 + rng_.below(40))));
    return size_ == 0 ? left : std::min(size_, left);
  }

 private:
  Cuts(std::size_t size, std::uint64_t seed) : size_(size), seed_(seed), rng_(seed) {}
  std::size_t size_;
  std::uint64_t seed_;
  SeededRng rng_;
};

// A reader's buffer: exactly the bytes and the padding that Decoder asks for, so that a sanitizer sees one
// byte more.
struct ReadBuffer {
  explicit ReadBuffer(std::string_view from)
      : bytes(new char[from.size() + kReadPadding]()), size(from.size()) {
    from.copy(bytes.get(), from.size());
  }
  [[nodiscard]] std::span<char> span() { return {bytes.get(), size}; }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

// Reads the padding behind a text as simdjson may: the sanitizer objects if it is not there.
inline void touch_padding(std::string_view text) {
  char all = 0;
  for (std::size_t i = 0; i < kReadPadding; ++i) all = static_cast<char>(all | text.data()[text.size() + i]);
  volatile char sink = all;
  static_cast<void>(sink);
}

// Every event of `bytes` until all is used up, or the first error. `on_feed` runs after each piece.
template <class OnFeed>
std::vector<Seen> decode(Decoder& decoder, std::string_view bytes, Cuts cuts, OnFeed on_feed) {
  std::vector<Seen> seen;
  while (!bytes.empty()) {
    ReadBuffer buffer(bytes.substr(0, cuts.next(bytes.size())));
    bytes.remove_prefix(buffer.size);
    std::span<char> input = buffer.span();
    for (;;) {
      const DecoderEvent event = decoder.next(input);
      if (event.kind == DecoderEvent::Kind::need_more) break;
      if (event.kind == DecoderEvent::Kind::text) touch_padding(event.payload);
      seen.push_back({event.kind, std::string(event.payload), event.close_code, event.error});
      if (event.kind == DecoderEvent::Kind::error) return seen;
    }
    if (!input.empty()) std::abort();  // need_more means that everything was used up
    on_feed();
  }
  return seen;
}

inline std::vector<Seen> decode(Decoder& decoder, std::string_view bytes, Cuts cuts) {
  return decode(decoder, bytes, cuts, [] {});
}

}  // namespace hubbub::wire::testing
