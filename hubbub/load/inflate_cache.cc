#include "hubbub/load/inflate_cache.h"

namespace hubbub::load {

Outcome<std::string_view> InflateCache::inflate(std::string_view compressed) {
  for (std::size_t i = 0; i < kEntries; ++i) {
    const std::size_t at = (likely_ + i) % kEntries;
    const Entry& entry = entries_[at];
    if (entry.text.empty() || entry.compressed != compressed) continue;
    likely_ = (at + 1) % kEntries;
    return entry.text;
  }
  Entry& entry = entries_[oldest_];
  oldest_ = (oldest_ + 1) % kEntries;
  likely_ = oldest_;
  entry.text.clear();
  entry.compressed = compressed;
  auto status = inflater_.feed(compressed, entry.text, kTextMax);
  if (status == wire::InflateStatus::ok) status = inflater_.finish(entry.text, kTextMax);
  if (status != wire::InflateStatus::ok) {
    entry.text.clear();
    return Failure("the server sent a compressed message that cannot be inflated");
  }
  return entry.text;
}

}  // namespace hubbub::load
