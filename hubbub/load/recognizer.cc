#include "hubbub/load/recognizer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "hubbub/load/number.h"

namespace hubbub::load {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint64_t> offset_at(std::string_view text, std::size_t at, std::uint64_t expected,
                                       std::uint64_t window) {
  const auto digits = digits_at(text, at);
  return digits ? number_offset(*digits, expected, window) : std::nullopt;
}

bool equal(const char* bytes, const std::string& wanted) {
  return std::memcmp(bytes, wanted.data(), wanted.size()) == 0;
}

}  // namespace

bool is_ack(std::string_view text) {
  return text.substr(0, 80).find(R"("session.ack")") != std::string_view::npos;
}

void Recognizer::set_surroundings(std::string before, std::string behind) {
  before_ = std::move(before);
  behind_ = std::move(behind);
  learned_ = true;
}

Recognizer::Found Recognizer::identify(std::string_view text, std::uint64_t expected, std::uint64_t window) {
  if (rule_ == Rule::exact || rule_ == Rule::ending) {
    return learned_ ? compare(text, expected, window) : learn(text, expected, window);
  }
  if (!refused_.empty() && text.find(refused_) != std::string_view::npos) return {Verdict::wrong, 0};
  if (!expect_.empty() && text.find(expect_) == std::string_view::npos) return {};
  if (rule_ == Rule::order) return {window > 0 ? Verdict::message : Verdict::wrong, 0};
  std::uint64_t offset = 0;
  if (find_number(text, expected, window, offset) != std::string_view::npos)
    return {Verdict::message, offset};
  return {expect_.empty() ? Verdict::ignored : Verdict::wrong, 0};
}

Recognizer::Found Recognizer::compare(std::string_view text, std::uint64_t expected,
                                      std::uint64_t window) const {
  const std::size_t tail = kNumberDigits + behind_.size();
  if (text.size() < tail) return refuse(text);
  const std::size_t at = text.size() - tail;
  if (rule_ == Rule::exact && (at != before_.size() || !equal(text.data(), before_))) return refuse(text);
  if (!equal(text.data() + at + kNumberDigits, behind_)) return refuse(text);
  // In order, as nearly always: the digits are the expected ones.
  const std::uint64_t word = number_word(expected);
  if (window > 0 && std::memcmp(text.data() + at, &word, sizeof word) == 0) return {Verdict::message, 0};
  const auto offset = offset_at(text, at, expected, window);
  return offset ? Found{Verdict::message, *offset} : refuse(text);
}

Recognizer::Found Recognizer::learn(std::string_view text, std::uint64_t expected, std::uint64_t window) {
  std::uint64_t offset = 0;
  const std::size_t at = find_number(text, expected, window, offset);
  if (at == std::string_view::npos || text.find(expect_) == std::string_view::npos) return refuse(text);
  set_surroundings(std::string(text.substr(0, at)), std::string(text.substr(at + kNumberDigits)));
  return {Verdict::message, offset};
}

std::size_t Recognizer::find_number(std::string_view text, std::uint64_t expected, std::uint64_t window,
                                    std::uint64_t& offset) {
  if (text.size() < kNumberDigits) return std::string_view::npos;
  const std::size_t last = text.size() - kNumberDigits;
  const auto try_at = [&](std::size_t at) {
    const auto found = at <= last ? offset_at(text, at, expected, window) : std::nullopt;
    if (found) offset = *found;
    return found.has_value();
  };
  if (placed_ && from_end_ <= last && try_at(last - from_end_)) return last - from_end_;
  if (placed_ && try_at(from_front_)) return from_front_;
  for (std::size_t at = 0; at <= last; ++at) {
    const bool alone =
        (at == 0 || !is_digit(text[at - 1])) && (at == last || !is_digit(text[at + kNumberDigits]));
    if (!alone || !try_at(at)) continue;
    from_end_ = last - at;
    from_front_ = at;
    placed_ = true;
    return at;
  }
  return std::string_view::npos;
}

std::uint64_t Recognizer::identify_stream(std::string& carry, std::string_view piece, std::uint64_t expected,
                                          std::uint64_t window) {
  carry.append(piece);
  std::uint64_t count = 0;
  std::size_t at = 0;
  for (; count < window; ++count) {
    const std::uint64_t word = number_word(expected + count);
    const void* found = ::memmem(carry.data() + at, carry.size() - at, &word, sizeof word);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - carry.data()) + kNumberDigits;
  }
  const std::size_t keep = std::min(carry.size() - at, kNumberDigits - 1);
  carry.erase(0, carry.size() - keep);
  return count;
}

Recognizer::Found Recognizer::refuse(std::string_view text) const {
  return {is_ack(text) ? Verdict::ignored : Verdict::wrong, 0};
}

}  // namespace hubbub::load
