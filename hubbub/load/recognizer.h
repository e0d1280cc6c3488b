// Recognizer: which of the messages under way a received text is. It learns where servers put the number, so
// most texts cost one look; texts are never parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hubbub::load {

class Recognizer {
 public:
  enum class Rule : std::uint8_t {
    exact,   // every text is the first one byte for byte, but for the number
    ending,  // the same from the number to the end; before it something may count
    number,  // the number stands anywhere
    order,   // no numbers: the k-th text is the k-th message
  };
  enum class Verdict : std::uint8_t { message, ignored, wrong };
  struct Found {
    Verdict verdict = Verdict::ignored;
    std::uint64_t offset = 0;  // message: its number above `expected`
  };

  Recognizer() = default;
  // Texts without `expect` are ignored (number, order), or wrong (exact, ending: it is looked for in the
  // first text only).
  Recognizer(Rule rule, std::string expect) : rule_(rule), expect_(std::move(expect)) {}
  // number or order: texts with `part` are wrong, whatever else they hold.
  void refuse_those_with(std::string part) { refused_ = std::move(part); }
  // exact or ending: what must stand around the number, known beforehand.
  void set_surroundings(std::string before, std::string behind);

  // `window`: how many messages, from number `expected` on, may be under way.
  [[nodiscard]] Found identify(std::string_view text, std::uint64_t expected, std::uint64_t window);

  // For servers whose messages hold several texts, or a part of one: how many of the numbers from `expected`
  // on stand one behind the other in what `carry` kept and `piece`.
  [[nodiscard]] std::uint64_t identify_stream(std::string& carry, std::string_view piece,
                                              std::uint64_t expected, std::uint64_t window);

 private:
  Found compare(std::string_view text, std::uint64_t expected, std::uint64_t window) const;
  Found learn(std::string_view text, std::uint64_t expected, std::uint64_t window);
  // Where in `text` a number of the window stands; npos: nowhere.
  std::size_t find_number(std::string_view text, std::uint64_t expected, std::uint64_t window,
                          std::uint64_t& offset);
  Found refuse(std::string_view text) const;

  Rule rule_ = Rule::number;
  std::string expect_;
  std::string refused_;
  bool learned_ = false;
  std::string before_;
  std::string behind_;
  bool placed_ = false;
  std::size_t from_end_ = 0;  // number: where it stood last, counted from the end and from the front
  std::size_t from_front_ = 0;
};

// hubbub's acknowledgement: a server may send it any time, and it is no answer to anything.
[[nodiscard]] bool is_ack(std::string_view text);

}  // namespace hubbub::load
