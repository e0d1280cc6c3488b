// Decoder: bytes from a WebSocket client -> messages and control frames (RFC 6455 section 5, RFC 7692
// section 6.2). Sans-I/O: give next() what arrived, however cut. The first violation ends it: every later
// call returns the same error.
//
// Invariants: a message never grows past message_bytes_max (sum over fragments, after inflate); memory grows
// with bytes received, never with lengths claimed; a whole unfragmented uncompressed message inside one feed
// is not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hubbub/base/error.h"
#include "hubbub/wire/deflate.h"
#include "hubbub/wire/ws_codec.h"
#include "hubbub/wire/ws_header.h"

namespace hubbub::wire {

struct DecoderEvent {
  enum class Kind : std::uint8_t {
    need_more,  // all input is used up
    text,       // payload: whole message, valid UTF-8, kReadPadding bytes readable behind it
    binary,     // payload: whole message
    ping,       // payload: to be echoed in a pong
    pong,
    close,  // close_code (1005 if the frame had none), payload: reason, valid UTF-8
    error,  // error: ws_protocol (1002), bad_utf8 (1007), message_too_big (1009); payload: what was wrong,
            // for the close reason
  };
  Kind kind = Kind::need_more;
  std::string_view payload;  // dies with the next call of next() or with the input buffer
  std::uint16_t close_code = 0;
  Errc error = Errc::ws_protocol;
};

class Decoder {
 public:
  struct Settings {
    std::size_t message_bytes_max = 65536;   // after inflate
    const DeflateParams* deflate = nullptr;  // null: not negotiated, RSV1 is an error. Copied.
  };
  // `shared_inflater` serves connections without client context takeover, and may be null if deflate is: it
  // must be a 15-bit Inflater without context that outlives the decoder. While a compressed message is half
  // received, the decoder holds its bytes itself, so that the shared inflater is never left in the middle of
  // somebody's message; the bound on held compressed bytes is message_bytes_max too (plus a small allowance
  // for incompressible data).
  Decoder(const Settings& settings, Inflater* shared_inflater);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Takes the next event from the front of `input` and moves `input` past what it used. Unmasks in place: the
  // buffer's bytes change. The buffer must have kReadPadding readable bytes behind its end. Call until
  // need_more. Text is checked fail-fast: invalid UTF-8 in an incomplete message is an error at once
  // (compressed text: when the message is complete). After an error and after `close` all input is used up
  // unread (section 1.4).
  [[nodiscard]] DecoderEvent next(std::span<char>& input);

  // From now on this is the shared inflater, which is not used if there was none.
  void share(Inflater* shared_inflater) {
    if (shared_inflater_) shared_inflater_ = shared_inflater;
  }

  // True between the first byte of a message and its last (partial header included): for assembly deadlines.
  [[nodiscard]] bool mid_message() const noexcept;
  // Bytes of heap held for a partial message, or for the one just delivered until the next call of next().
  // The window of a client with context takeover is not counted: it stays between messages.
  [[nodiscard]] std::size_t held_bytes() const noexcept;

 private:
  // A message being assembled: allocated at need, freed when done, so that an idle decoder is small.
  struct Message;
  struct Failure;

  [[nodiscard]] HeaderRules rules() const noexcept;
  [[nodiscard]] std::size_t compressed_bytes_max() const noexcept;
  [[nodiscard]] DecoderEvent short_text(std::span<char>& input);
  [[nodiscard]] DecoderEvent whole_message(const FrameHeader& header, std::span<char>& input);
  [[nodiscard]] DecoderEvent next_assembled(std::span<char>& input);
  [[nodiscard]] std::optional<DecoderEvent> take_header(std::span<char>& input);
  [[nodiscard]] std::optional<DecoderEvent> begin_frame(const FrameHeader& header);
  [[nodiscard]] std::optional<DecoderEvent> take_payload(std::span<char>& input);
  [[nodiscard]] std::optional<DecoderEvent> take_control(std::string_view piece, bool frame_done);
  [[nodiscard]] std::optional<DecoderEvent> take_plain(std::string_view piece, bool frame_done);
  [[nodiscard]] std::optional<DecoderEvent> take_compressed(std::string_view piece, bool frame_done);
  [[nodiscard]] DecoderEvent inflate_message(std::string_view last_piece);
  [[nodiscard]] DecoderEvent control_event(Opcode opcode, std::string_view payload);
  [[nodiscard]] DecoderEvent close_event(std::string_view payload);
  [[nodiscard]] Inflater& inflater();
  [[nodiscard]] DecoderEvent fail(Errc error, std::string text);
  [[nodiscard]] DecoderEvent fail_too_big();

  std::unique_ptr<Message> message_;
  std::unique_ptr<Failure> failure_;        // set by the first violation
  std::unique_ptr<Inflater> own_inflater_;  // client context takeover: lives as long as the connection
  Inflater* shared_inflater_ = nullptr;
  std::size_t message_bytes_max_ = 0;
  std::optional<DeflateParams> deflate_;
  bool closed_ = false;  // a Close frame came
};

}  // namespace hubbub::wire
