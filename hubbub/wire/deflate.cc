// Deflater and Inflater over zlib's raw streams, and the twin that all receivers of a frame share.
#include "hubbub/wire/deflate.h"

#define ZLIB_CONST  // next_in points to const: input is never written
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "hubbub/base/assert.h"
#include "hubbub/wire/growth.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::wire {
namespace {

// zlib refuses raw deflate with an 8-bit window. With 9 bits it looks back at most 512 - 262 = 250 bytes
// (zlib's MAX_DIST: the window less its look-ahead), which an 8-bit window of 256 still holds.
int deflate_window_bits(int window_bits) noexcept { return std::max(window_bits, 9); }

constexpr int kMemLevel = 8;  // zlib's default: 128 KiB of hash chains beside 128 KiB of window
constexpr std::string_view kTail("\x00\x00\xFF\xFF", 4);
constexpr std::size_t kOutputKept =
    256 * 1024;  // a bigger output buffer is given back before the next message
constexpr std::size_t kInflateBlock = 16 * 1024;

const Bytef* bytes(std::string_view text) noexcept { return reinterpret_cast<const Bytef*>(text.data()); }

}  // namespace

struct Deflater::State {
  State(int level, int window_bits, bool keep) : keep_context(keep) {
    const int status = deflateInit2(&stream, level, Z_DEFLATED, -deflate_window_bits(window_bits), kMemLevel,
                                    Z_DEFAULT_STRATEGY);
    HUBBUB_ASSERT(status == Z_OK);
  }
  ~State() { deflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Compresses all input and flushes; returns the number of bytes in `out`, the tail included.
  std::size_t flush(std::string_view message) {
    stream.next_in = bytes(message);
    stream.avail_in = static_cast<uInt>(message.size());
    std::size_t done = 0;
    do {
      if (done == out.size()) out.resize(out.size() + out.size() / 2 + 64);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      stream.avail_out = static_cast<uInt>(out.size() - done);
      const int status = deflate(&stream, Z_SYNC_FLUSH);
      HUBBUB_ASSERT(status == Z_OK || status == Z_BUF_ERROR);
      done = out.size() - stream.avail_out;
    } while (stream.avail_out == 0);
    return done;
  }

  z_stream stream{};
  bool keep_context;
  std::string out;  // its size is its room; compress() returns a view of the front
};

Deflater::Deflater(int level, int window_bits, bool keep_context)
    : state_(std::make_unique<State>(level, window_bits, keep_context)) {}
Deflater::~Deflater() = default;
Deflater::Deflater(Deflater&&) noexcept = default;
Deflater& Deflater::operator=(Deflater&&) noexcept = default;

std::string_view Deflater::compress(std::string_view message) {
  // The tail's own block, cut after its first byte (section 7.2.3.6). zlib does not flush twice in a row.
  if (message.empty()) return {"\0", 1};
  State& state = *state_;
  HUBBUB_ASSERT(message.size() <= std::numeric_limits<uInt>::max() / 2);
  if (state.out.size() > kOutputKept) std::string().swap(state.out);
  if (!state.keep_context) deflateReset(&state.stream);
  const std::size_t bound =
      deflateBound(&state.stream, static_cast<uLong>(message.size())) + kTail.size() + 2;
  if (state.out.size() < bound) state.out.resize(bound);
  const std::size_t size = state.flush(message);
  HUBBUB_ASSERT(size > kTail.size());
  return {state.out.data(), size - kTail.size()};
}

struct Inflater::State {
  State(int window_bits, bool keep) : keep_context(keep) {
    HUBBUB_ASSERT(inflateInit2(&stream, -window_bits) == Z_OK);
  }
  ~State() { inflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void reset() {
    inflateReset(&stream);
    tail_due = false;
    ended = false;
  }

  // One call of inflate(): at most one block of output. One byte more than allowed is asked for, because only
  // a byte too many tells a message at the limit from one over it.
  InflateStatus step(std::string& out, std::size_t size_max) {
    char block[kInflateBlock];
    const std::size_t allowed = size_max - out.size();
    const std::size_t room = allowed < sizeof block ? allowed + 1 : sizeof block;
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_SYNC_FLUSH);
    const std::size_t made = room - stream.avail_out;
    if (made > allowed || status == Z_MEM_ERROR) return InflateStatus::too_big;
    append_bounded(out, {block, made}, size_max);
    if (status == Z_STREAM_END) return end_stream();
    return status == Z_OK || status == Z_BUF_ERROR ? InflateStatus::ok : InflateStatus::corrupt;
  }

  // A block with BFINAL was the last of its stream, not of the message (sections 7.2.3.4 and 7.2.3.5). What
  // follows is a new stream that sees the same window; if nothing follows, the message is complete and wants
  // no tail.
  InflateStatus end_stream() {
    ended = stream.avail_in == 0;
    if (ended) {
      tail_due = false;
      return InflateStatus::ok;
    }
    return inflateResetKeep(&stream) == Z_OK ? InflateStatus::ok : InflateStatus::corrupt;
  }

  InflateStatus feed(std::string_view piece, std::string& out, std::size_t size_max) {
    if (piece.empty()) return InflateStatus::ok;
    if (ended) inflateResetKeep(&stream);
    ended = false;
    tail_due = true;
    stream.next_in = bytes(piece);
    stream.avail_in = static_cast<uInt>(piece.size());
    InflateStatus status = InflateStatus::ok;
    do {
      status = step(out, size_max);
    } while (status == InflateStatus::ok && !ended && (stream.avail_in > 0 || stream.avail_out == 0));
    return status;
  }

  // zlib sets bit 7 of data_type between blocks: a message that stops inside one is cut short.
  [[nodiscard]] bool between_blocks() const { return ended || (stream.data_type & 128); }

  z_stream stream{};
  bool keep_context;
  bool tail_due =
      false;  // the message has bytes after its last ended stream, so 00 00 FF FF belongs behind them
  bool ended = false;  // the stream has ended; the next byte begins another
};

Inflater::Inflater(int window_bits, bool keep_context)
    : state_(std::make_unique<State>(window_bits, keep_context)) {}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

InflateStatus Inflater::feed(std::string_view piece, std::string& out, std::size_t size_max) {
  constexpr std::size_t kStride = std::size_t{1} << 30;  // zlib counts input in 32 bits
  InflateStatus status = InflateStatus::ok;
  for (; status == InflateStatus::ok && !piece.empty(); piece.remove_prefix(std::min(kStride, piece.size())))
    status = state_->feed(piece.substr(0, kStride), out, size_max);
  if (status != InflateStatus::ok) state_->reset();
  return status;
}

InflateStatus Inflater::finish(std::string& out, std::size_t size_max) {
  // Nothing to complete after a zero-byte message or one whose last block was final.
  InflateStatus status = InflateStatus::ok;
  if (state_->tail_due) {
    status = state_->feed(kTail, out, size_max);
    if (status == InflateStatus::ok && !state_->between_blocks()) status = InflateStatus::corrupt;
  }
  state_->tail_due = false;
  if (status != InflateStatus::ok || !state_->keep_context) state_->reset();
  return status;
}

void Inflater::reset() { state_->reset(); }

const Frame* shared_deflated(const Frame& frame, std::uint8_t window_bits, Deflater& shard,
                             const DeflateSettings& settings) {
  const std::string_view payload = frame.payload();
  const auto first = static_cast<unsigned char>(frame.wire().front());
  const auto opcode = static_cast<Opcode>(first & 0x0F);
  const bool data = opcode == Opcode::text || opcode == Opcode::binary;
  if (!data || payload.size() < settings.size_min || payload.empty()) return &frame;
  const Frame* twin = frame.deflated();
  if (twin == &frame) return twin;  // known not to shrink
  // No distance inside a message is longer than the message, so a short one fits every window.
  if (payload.size() > std::size_t{1} << window_bits && window_bits < 15) return nullptr;
  if (twin) return twin;
  const std::string_view compressed = shard.compress(payload);
  if (compressed.size() >= payload.size()) return frame.set_deflated(FrameRef::share(&frame));
  return frame.set_deflated(make_frame(opcode, compressed, true));
}

}  // namespace hubbub::wire
