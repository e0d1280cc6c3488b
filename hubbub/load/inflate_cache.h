// InflateCache: plain texts of compressed messages. A hub sends one compressed message to many subscribers;
// equal bytes are inflated once, so that measuring a compressed broadcast does not cost the generator more
// than the server. Only for messages compressed without context (RFC 7692 section 7.1.1.1).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "hubbub/load/outcome.h"
#include "hubbub/wire/deflate.h"

namespace hubbub::load {

class InflateCache {
 public:
  // The view dies with the next call.
  [[nodiscard]] Outcome<std::string_view> inflate(std::string_view compressed);

 private:
  static constexpr std::size_t kEntries = 64;  // publications under way at a time
  static constexpr std::size_t kTextMax = 64 * 1024 * 1024;

  struct Entry {
    std::string compressed;
    std::string text;
  };

  std::array<Entry, kEntries> entries_;
  std::size_t likely_ = 0;  // subscribers get the same messages in the same order
  std::size_t oldest_ = 0;
  wire::Inflater inflater_{15, false};
};

}  // namespace hubbub::load
