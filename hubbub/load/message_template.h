// MessageTemplate: a message that goes out many times, with its changing parts. The frame is built and masked
// once; sending copies it and writes the digits over it.
//   {n}  the message's number: 8 digits (number.h)      {t}  unix time of sending in microseconds: 16 digits
//   {i}  the connection's index: 6 digits, from 100000  {pad} filler, so that the whole text has the wanted
//   length
// Everything else in braces stays as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/load/client_frame.h"
#include "hubbub/load/number.h"

namespace hubbub::load {

struct MessageValues {
  std::uint64_t number = 0;
  std::uint64_t unix_us = 0;
  std::size_t index = 0;
};

// Printable words and digits without quotes or backslashes, always the same: compresses about as JSON does.
[[nodiscard]] std::string filler(std::size_t size);

class MessageTemplate {
 public:
  MessageTemplate() = default;
  // {pad} fills up to `bytes`; nothing if the text is that long without it.
  MessageTemplate(std::string_view text, std::size_t bytes, Opcode opcode);

  [[nodiscard]] bool has_number() const { return has_number_; }
  [[nodiscard]] bool has_time() const { return has_time_; }
  // Appends the masked frame.
  void append_frame(std::string& out, const MessageValues& values) const;
  // The text as a server gets it.
  [[nodiscard]] std::string text(const MessageValues& values) const;
  // The text before and behind the first {n}.
  [[nodiscard]] std::string before_number() const { return text_.substr(0, number_at_); }
  [[nodiscard]] std::string behind_number() const { return text_.substr(number_at_ + kNumberDigits); }

 private:
  enum class Kind : std::uint8_t { number, time, index };
  struct Slot {
    std::size_t at = 0;  // in text_
    Kind kind{};
    std::uint64_t mask = 0;  // number: of its 8 bytes
  };

  static std::size_t width(Kind kind);
  // Writes the digits of a slot at `out`.
  static void write(const Slot& slot, const MessageValues& values, char* out);
  bool take_slot(std::string_view& rest);

  std::string text_;   // digits are zeros
  std::string frame_;  // masked
  std::size_t header_ = 0;
  std::size_t number_at_ = 0;
  std::vector<Slot> slots_;
  bool has_number_ = false;
  bool has_time_ = false;
};

}  // namespace hubbub::load
