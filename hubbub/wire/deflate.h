// permessage-deflate (RFC 7692): offer negotiation, Deflater and Inflater over zlib. Without context takeover
// (the default) one Deflater and one Inflater serve all connections of a shard; with it each connection has
// its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hubbub/base/frame.h"

namespace hubbub::wire {

// What this server is willing to do; from configuration.
struct DeflateSettings {
  bool enabled = true;
  bool context_takeover = false;  // true: allow both directions to keep their window
  int level = 1;                  // zlib 1..9
  std::size_t size_min = 256;     // messages below this many bytes go out uncompressed
};

// What was agreed with one client (RFC 7692 section 7.1).
struct DeflateParams {
  bool server_no_context_takeover = true;
  bool client_no_context_takeover = true;
  std::uint8_t server_max_window_bits = 15;  // 8..15
  std::uint8_t client_max_window_bits = 15;  // 8..15
};

struct DeflateAgreement {
  DeflateParams params;
  std::string response;  // value for the Sec-WebSocket-Extensions response header
};

// Picks the first acceptable permessage-deflate offer of a (possibly combined) Sec-WebSocket-Extensions
// value. nullopt: none acceptable, go on without. Unknown parameters, repeated parameters and bad values
// decline that offer (section 7). Parameter names are case-insensitive tokens; values may be quoted strings.
[[nodiscard]] std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers,
                                                                const DeflateSettings& settings);

// Compresses messages. Not thread-safe; one per shard (no takeover), or one per connection (takeover).
class Deflater {
 public:
  // `window_bits` 8..15; `keep_context` for server context takeover.
  Deflater(int level, int window_bits, bool keep_context);
  ~Deflater();
  Deflater(Deflater&&) noexcept;
  Deflater& operator=(Deflater&&) noexcept;

  // The message body as section 7.2.1 wants it (sync flush, trailing 00 00 FF FF removed). The view dies with
  // the next call. An empty message gives one byte 0x00.
  [[nodiscard]] std::string_view compress(std::string_view message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class InflateStatus : std::uint8_t { ok, corrupt, too_big };

// Decompresses one message at a time, in pieces as they arrive.
class Inflater {
 public:
  explicit Inflater(int window_bits, bool keep_context);
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  // Appends the inflated bytes of `piece` to `out`. Stops with too_big as soon as `out` would pass
  // `size_max`: a bomb costs at most size_max bytes plus one block of output. `out` grows with what is
  // produced, not with what is claimed.
  [[nodiscard]] InflateStatus feed(std::string_view piece, std::string& out, std::size_t size_max);
  // End of message: feeds the 00 00 FF FF tail (section 7.2.2) and, without takeover, forgets the window.
  [[nodiscard]] InflateStatus finish(std::string& out, std::size_t size_max);
  // Drops a message half-way (its connection died).
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The compressed twin of `frame` for a peer with `window_bits`, shared by all peers it fits: made by `shard`
// (a 15-bit, no-context Deflater) at first need and kept in the frame. Returns the frame itself when it is
// smaller than settings.size_min or compression does not shrink it. Returns nullptr if the shared twin could
// reach back further than `window_bits` allows: compress privately.
[[nodiscard]] const Frame* shared_deflated(const Frame& frame, std::uint8_t window_bits, Deflater& shard,
                                           const DeflateSettings& settings);

}  // namespace hubbub::wire
