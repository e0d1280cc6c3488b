#include "hubbub/load/message_template.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace hubbub::load {
namespace {

constexpr std::string_view kPad = "{pad}";
constexpr std::uint64_t kIndexFirst = 100'000;
constexpr std::uint64_t kIndexCount = 900'000;

// The last `width` decimal digits of `value`.
void write_digits(std::uint64_t value, std::size_t width, char* out) {
  for (std::size_t i = width; i > 0; --i, value /= 10) out[i - 1] = static_cast<char>('0' + value % 10);
}

// The mask of 8 bytes that begin at `at` in a payload.
std::uint64_t mask_at(std::size_t at) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = kMask[(at + i) % kMask.size()];
  return std::bit_cast<std::uint64_t>(bytes);
}

}  // namespace

std::string filler(std::size_t size) {
  constexpr std::array<std::string_view, 16> kWords{"status", "panda", "ready",  "order", "price", "north",
                                                    "sensor", "value", "update", "true",  "level", "queue",
                                                    "blue",   "user",  "total",  "open"};
  std::string out;
  for (std::uint32_t state = 12345; out.size() < size;) {
    state = state * 1664525U + 1013904223U;
    out += kWords[state >> 28U];
    out += ':';
    out += std::to_string((state >> 8U) % 100'000);
    out += ' ';
  }
  out.resize(size);
  return out;
}

MessageTemplate::MessageTemplate(std::string_view text, std::size_t bytes, Opcode opcode) {
  std::string padded(text);
  // The lengths of all other parts are known only once they are placed: place them, then pad.
  if (const auto at = padded.find(kPad); at != std::string::npos) {
    padded.erase(at, kPad.size());
    const MessageTemplate bare(padded, 0, opcode);
    if (bytes > bare.text_.size()) padded.insert(at, filler(bytes - bare.text_.size()));
  }
  for (std::string_view rest = padded; !rest.empty();) {
    if (take_slot(rest)) continue;
    text_ += rest.front();
    rest.remove_prefix(1);
  }
  append_client_frame(frame_, opcode, text_);
  header_ = frame_.size() - text_.size();
}

bool MessageTemplate::take_slot(std::string_view& rest) {
  constexpr std::array<std::pair<std::string_view, Kind>, 3> kSlots{
      {{"{n}", Kind::number}, {"{t}", Kind::time}, {"{i}", Kind::index}}};
  const auto found =
      std::ranges::find_if(kSlots, [rest](auto& slot) { return rest.starts_with(slot.first); });
  if (found == kSlots.end()) return false;
  if (found->second == Kind::number && !std::exchange(has_number_, true)) number_at_ = text_.size();
  if (found->second == Kind::time) has_time_ = true;
  slots_.push_back({text_.size(), found->second, mask_at(text_.size())});
  text_.append(width(found->second), '0');
  rest.remove_prefix(found->first.size());
  return true;
}

std::size_t MessageTemplate::width(Kind kind) {
  return kind == Kind::number ? kNumberDigits : kind == Kind::time ? 16 : 6;
}

void MessageTemplate::write(const Slot& slot, const MessageValues& values, char* out) {
  if (slot.kind == Kind::number) {
    const std::uint64_t word = number_word(values.number);
    std::memcpy(out, &word, sizeof word);
  } else if (slot.kind == Kind::time) {
    write_digits(values.unix_us, width(slot.kind), out);
  } else {
    write_digits(kIndexFirst + values.index % kIndexCount, width(slot.kind), out);
  }
}

void MessageTemplate::append_frame(std::string& out, const MessageValues& values) const {
  const std::size_t begin = out.size() + header_;
  out.append(frame_);
  for (const Slot& slot : slots_) {
    char* const target = out.data() + begin + slot.at;
    if (slot.kind == Kind::number) {
      const std::uint64_t word = number_word(values.number) ^ slot.mask;
      std::memcpy(target, &word, sizeof word);
      continue;
    }
    std::array<char, 16> digits;
    write(slot, values, digits.data());
    for (std::size_t i = 0; i < width(slot.kind); ++i) {
      const auto byte = static_cast<unsigned char>(digits[i]);
      target[i] = static_cast<char>(byte ^ kMask[(slot.at + i) % kMask.size()]);
    }
  }
}

std::string MessageTemplate::text(const MessageValues& values) const {
  std::string out = text_;
  for (const Slot& slot : slots_) write(slot, values, out.data() + slot.at);
  return out;
}

}  // namespace hubbub::load
