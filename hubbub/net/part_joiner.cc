#include "hubbub/net/part_joiner.h"

#include <algorithm>
#include <cstring>

namespace hubbub {

PartJoiner::PartJoiner() : bytes_(std::make_unique_for_overwrite<char[]>(kBytesMax)) {
  pieces_.reserve(kPiecesMax);
}

void PartJoiner::forget() {
  used_ = 0;
  pieces_.clear();
  last_.clear();
  last_joined_ = false;
}

std::span<const iovec> PartJoiner::join(std::span<const iovec> parts) {
  if (parts.size() < 2) return parts;
  const bool again =
      parts.size() == last_.size() && std::memcmp(parts.data(), last_.data(), parts.size_bytes()) == 0;
  if (!again) {
    last_.assign(parts.begin(), parts.end());
    const bool small =
        std::all_of(parts.begin(), parts.end(), [](const iovec& part) { return part.iov_len <= kCopyMax; });
    last_joined_ = small && copy(parts);
  } else if (!last_joined_) {
    // Large parts are worth a copy once somebody else has the same.
    last_joined_ = copy(parts);
  }
  return last_joined_ ? std::span<const iovec>(&pieces_.back(), 1) : parts;
}

bool PartJoiner::copy(std::span<const iovec> parts) {
  std::size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  if (size > kBytesMax - used_ || pieces_.size() == kPiecesMax) return false;
  char* out = bytes_.get() + used_;
  pieces_.push_back({out, size});
  for (const iovec& part : parts) {
    std::memcpy(out, part.iov_base, part.iov_len);
    out += part.iov_len;
  }
  used_ += size;
  return true;
}

}  // namespace hubbub
