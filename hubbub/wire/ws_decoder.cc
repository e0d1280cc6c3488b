#include "hubbub/wire/ws_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "hubbub/base/assert.h"
#include "hubbub/base/held_memory.h"
#include "hubbub/wire/growth.h"
#include "hubbub/wire/utf8.h"

namespace hubbub::wire {
namespace {

using Kind = DecoderEvent::Kind;

constexpr const char* kNotUtf8 = "text is not valid UTF-8";

// Header of a client's frame of less than 126 bytes.
constexpr std::size_t kShortHeader = 6;
constexpr unsigned kFinText = 0x81;
constexpr unsigned kMaskBit = 0x80;
constexpr unsigned kLongLength = 126;

std::size_t short_size(std::span<const char> input) noexcept {
  return static_cast<unsigned char>(input[1]) & ~kMaskBit;
}

// A text message in one short frame that is here whole: what most clients send. Other frames, and all that is
// wrong with one, are parse_client_header()'s.
bool is_short_text(std::span<const char> input, std::size_t bytes_max) noexcept {
  if (input.size() < kShortHeader || static_cast<unsigned char>(input[0]) != kFinText) return false;
  const std::size_t size = short_size(input);
  return (static_cast<unsigned char>(input[1]) & kMaskBit) && size < kLongLength && size <= bytes_max &&
         size <= input.size() - kShortHeader;
}

DecoderEvent data_event(Opcode opcode, std::string_view payload) {
  DecoderEvent event;
  event.kind = opcode == Opcode::text ? Kind::text : Kind::binary;
  event.payload = payload;
  return event;
}

// What a string has on the heap; a short one lives inside the object.
std::size_t heap_bytes(const std::string& text) noexcept {
  return text.capacity() > std::string().capacity() ? text.capacity() : 0;
}

}  // namespace

// Everything that is not needed between messages.
struct Decoder::Message {
  // The frame in progress: its header as far as it came, then how much of its payload was taken.
  char head[kClientHeaderMax];
  std::uint8_t head_size = 0;
  bool in_frame = false;
  FrameHeader frame;
  std::uint64_t taken = 0;
  // A control frame that came in pieces; it may stand between the fragments of the message below.
  std::uint8_t control_size = 0;
  char control[kControlPayloadMax];
  // The data message.
  bool open = false;      // its first frame has begun, its last has not ended
  bool finished = false;  // the event has been given out; its view keeps this object until the next call
  bool compressed = false;
  Opcode opcode = Opcode::text;
  Utf8Checker utf8;
  std::string body;    // the message as the application sees it
  std::string packed;  // compressed bytes so far; inflated when the message is complete
  HeldBytes held;
};

struct Decoder::Failure {
  Errc error;
  std::string text;
};

Decoder::Decoder(const Settings& settings, Inflater* shared_inflater)
    : shared_inflater_(shared_inflater), message_bytes_max_(settings.message_bytes_max) {
  static_assert(sizeof(Decoder) <= 64, "every idle connection has one");
  if (settings.deflate) deflate_ = *settings.deflate;
  HUBBUB_ASSERT(!deflate_ || !deflate_->client_no_context_takeover || shared_inflater_);
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

bool Decoder::mid_message() const noexcept { return message_ && !message_->finished && !closed_; }

std::size_t Decoder::held_bytes() const noexcept {
  return message_ ? sizeof(Message) + heap_bytes(message_->body) + heap_bytes(message_->packed) : 0;
}

// A frame that is a message of its own and lies in `input` whole is used there. Everything else is assembled.
DecoderEvent Decoder::next(std::span<char>& input) {
  if (message_ && (message_->finished || closed_)) message_.reset();
  const bool between_frames = !message_ || (!message_->in_frame && message_->head_size == 0);
  if (between_frames && !failure_ && !closed_) [[likely]] {
    if (input.empty()) return {};
    if (!message_ && is_short_text(input, message_bytes_max_)) return short_text(input);
    const FrameHeader header = parse_client_header({input.data(), input.size()}, rules());
    const bool whole =
        header.status == HeaderStatus::complete && input.size() - header.size >= header.payload_size;
    const bool alone =
        is_control(header.opcode) || (header.fin && !header.rsv1 && !(message_ && message_->open) &&
                                      header.payload_size <= message_bytes_max_);
    if (whole && alone) return whole_message(header, input);
  }
  return next_assembled(input);
}

DecoderEvent Decoder::short_text(std::span<char>& input) {
  char* const data = input.data() + kShortHeader;
  const std::size_t size = short_size(input);
  unsigned char mask[4];
  std::memcpy(mask, data - sizeof mask, sizeof mask);
  input = input.subspan(kShortHeader + size);
  const bool ascii = unmask(data, size, mask, 0);
  const std::string_view payload(data, size);
  if (!ascii && !utf8_valid(payload)) return fail(Errc::bad_utf8, kNotUtf8);
  return data_event(Opcode::text, payload);
}

HeaderRules Decoder::rules() const noexcept { return {deflate_.has_value(), message_ && message_->open}; }

// Compressed bytes held before they are inflated: data that does not compress comes out a little longer than
// it was, up to one bit in eight with fixed Huffman codes.
std::size_t Decoder::compressed_bytes_max() const noexcept {
  return message_bytes_max_ + message_bytes_max_ / 8 + 64;
}

DecoderEvent Decoder::whole_message(const FrameHeader& header, std::span<char>& input) {
  const auto size = static_cast<std::size_t>(header.payload_size);
  char* data = input.data() + header.size;
  const std::string_view payload(data, size);
  input = input.subspan(header.size + size);
  const bool ascii = unmask(data, size, header.mask, 0);
  if (is_control(header.opcode)) return control_event(header.opcode, payload);
  if (header.opcode == Opcode::text && !ascii && !utf8_valid(payload)) return fail(Errc::bad_utf8, kNotUtf8);
  return data_event(header.opcode, payload);
}

DecoderEvent Decoder::next_assembled(std::span<char>& input) {
  std::optional<DecoderEvent> event;
  if (closed_) {
    event.emplace();
  } else if (failure_) {
    event = DecoderEvent{Kind::error, failure_->text, 0, failure_->error};
  }
  while (!event) {
    if (!message_ || !message_->in_frame) event = take_header(input);
    if (!event) event = take_payload(input);
  }
  if (closed_ || failure_) input = {};
  if (message_) message_->held.set(held_bytes());
  return *event;
}

std::optional<DecoderEvent> Decoder::take_header(std::span<char>& input) {
  if (input.empty()) return DecoderEvent{};
  if (!message_) message_ = std::make_unique<Message>();
  Message& m = *message_;
  const std::size_t had = m.head_size;
  const std::size_t size = std::min(sizeof m.head - had, input.size());
  std::memcpy(m.head + had, input.data(), size);
  const FrameHeader header = parse_client_header({m.head, had + size}, rules());
  if (header.status == HeaderStatus::bad) return fail(Errc::ws_protocol, header.problem);
  if (header.status == HeaderStatus::need_more) {
    m.head_size = static_cast<std::uint8_t>(had + size);
    input = {};
    return DecoderEvent{};
  }
  m.head_size = 0;
  input = input.subspan(header.size - had);
  return begin_frame(header);
}

// The length is held against what the message may still grow before a byte of payload is taken.
std::optional<DecoderEvent> Decoder::begin_frame(const FrameHeader& header) {
  Message& m = *message_;
  m.frame = header;
  m.taken = 0;
  m.in_frame = true;
  m.control_size = 0;
  if (is_control(header.opcode)) return std::nullopt;
  if (header.opcode != Opcode::continuation) {
    m.open = true;
    m.opcode = header.opcode;
    m.compressed = header.rsv1;
  }
  const std::size_t left =
      m.compressed ? compressed_bytes_max() - m.packed.size() : message_bytes_max_ - m.body.size();
  if (header.payload_size > left) return fail_too_big();
  return std::nullopt;
}

std::optional<DecoderEvent> Decoder::take_payload(std::span<char>& input) {
  Message& m = *message_;
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(m.frame.payload_size - m.taken, input.size()));
  char* data = input.data();
  const std::string_view piece(data, size);
  input = input.subspan(size);
  unmask(data, size, m.frame.mask, static_cast<std::size_t>(m.taken & 3));
  m.taken += size;
  const bool frame_done = m.taken == m.frame.payload_size;
  m.in_frame = !frame_done;
  if (is_control(m.frame.opcode)) return take_control(piece, frame_done);
  const auto event = m.compressed ? take_compressed(piece, frame_done) : take_plain(piece, frame_done);
  if (event || frame_done) return event;
  return DecoderEvent{};
}

std::optional<DecoderEvent> Decoder::take_control(std::string_view piece, bool frame_done) {
  Message& m = *message_;
  std::copy(piece.begin(), piece.end(), m.control + m.control_size);
  m.control_size = static_cast<std::uint8_t>(m.control_size + piece.size());
  if (!frame_done) return DecoderEvent{};
  m.finished = !m.open;
  return control_event(m.frame.opcode, {m.control, m.control_size});
}

std::optional<DecoderEvent> Decoder::take_plain(std::string_view piece, bool frame_done) {
  Message& m = *message_;
  const bool last = frame_done && m.frame.fin;
  if (m.opcode == Opcode::text && (!m.utf8.feed(piece) || (last && !m.utf8.complete())))
    return fail(Errc::bad_utf8, kNotUtf8);
  m.open = !last;
  m.finished = last;
  if (last && m.body.empty()) return data_event(m.opcode, piece);  // whole where it lies: not copied
  // Once the last frame has begun the size of the message is known: no room beyond it.
  const std::size_t left = static_cast<std::size_t>(m.frame.payload_size - m.taken);
  append_bounded(m.body, piece, m.frame.fin ? m.body.size() + piece.size() + left : message_bytes_max_);
  if (!last) return std::nullopt;
  const std::size_t size = m.body.size();
  m.body.append(kReadPadding, '\0');
  return data_event(m.opcode, std::string_view(m.body).substr(0, size));
}

std::optional<DecoderEvent> Decoder::take_compressed(std::string_view piece, bool frame_done) {
  Message& m = *message_;
  if (frame_done && m.frame.fin) return inflate_message(piece);
  append_bounded(m.packed, piece, compressed_bytes_max());
  return std::nullopt;
}

DecoderEvent Decoder::inflate_message(std::string_view last_piece) {
  Message& m = *message_;
  Inflater& zlib = inflater();
  InflateStatus status = zlib.feed(m.packed, m.body, message_bytes_max_);
  if (status == InflateStatus::ok) status = zlib.feed(last_piece, m.body, message_bytes_max_);
  if (status == InflateStatus::ok) status = zlib.finish(m.body, message_bytes_max_);
  if (status == InflateStatus::too_big) return fail_too_big();
  if (status == InflateStatus::corrupt) return fail(Errc::bad_utf8, "compressed data is corrupt");
  if (m.opcode == Opcode::text && !utf8_valid(m.body)) return fail(Errc::bad_utf8, kNotUtf8);
  m.open = false;
  m.finished = true;
  const std::size_t size = m.body.size();
  m.body.append(kReadPadding, '\0');
  return data_event(m.opcode, std::string_view(m.body).substr(0, size));
}

DecoderEvent Decoder::control_event(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::close) return close_event(payload);
  DecoderEvent event;
  event.kind = opcode == Opcode::ping ? Kind::ping : Kind::pong;
  event.payload = payload;
  return event;
}

// RFC 6455 section 5.5.1: nothing, or a code and a reason.
DecoderEvent Decoder::close_event(std::string_view payload) {
  DecoderEvent event;
  event.kind = Kind::close;
  event.close_code = 1005;
  if (payload.size() == 1) return fail(Errc::ws_protocol, "close payload of one byte");
  if (payload.size() >= 2) {
    event.close_code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                                  static_cast<unsigned char>(payload[1]));
    if (!close_code_valid(event.close_code))
      return fail(Errc::ws_protocol, "close code that may not be sent");
    event.payload = payload.substr(2);
    if (!utf8_valid(event.payload)) return fail(Errc::bad_utf8, "close reason is not valid UTF-8");
  }
  closed_ = true;
  return event;
}

Inflater& Decoder::inflater() {
  if (deflate_->client_no_context_takeover) return *shared_inflater_;
  if (!own_inflater_) own_inflater_ = std::make_unique<Inflater>(deflate_->client_max_window_bits, true);
  return *own_inflater_;
}

// Everything held is given back: what follows is a close frame with this text.
DecoderEvent Decoder::fail(Errc error, std::string text) {
  message_.reset();
  own_inflater_.reset();
  failure_ = std::make_unique<Failure>(Failure{error, std::move(text)});
  return {Kind::error, failure_->text, 0, error};
}

DecoderEvent Decoder::fail_too_big() {
  return fail(Errc::message_too_big,
              fmt::format("message over limits.message_bytes ({})", message_bytes_max_));
}

}  // namespace hubbub::wire
