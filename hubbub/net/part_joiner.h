// PartJoiner: turns the many small parts of one connection's write into a single piece of memory, because the
// kernel takes longer over a part than a copy of a short frame takes. In fan-out one connection after the
// other has the very same parts: they are copied once and the piece is given to all.
//
// Invariants: a piece stays where it is until forget(); what is remembered between two calls are addresses,
// so no frame may die between the first join() and forget(). Never joins across connections. One thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace hubbub {

class PartJoiner {
 public:
  PartJoiner();

  // What to hand to the socket for `parts`: one part with the same bytes, or `parts` as they are where
  // copying costs more than it saves. Good until forget(), as long as `parts` are.
  [[nodiscard]] std::span<const iovec> join(std::span<const iovec> parts);
  // The writes are done: all pieces are free again.
  void forget();

  // Most bytes of a part that is copied for one connection alone.
  static constexpr std::size_t kCopyMax = 1024;
  // Room for the pieces of one round; when it is used up parts stay as they are.
  static constexpr std::size_t kBytesMax = std::size_t{256} * 1024;
  static constexpr std::size_t kPiecesMax = 64;

 private:
  [[nodiscard]] bool copy(std::span<const iovec> parts);

  std::unique_ptr<char[]> bytes_;
  std::size_t used_ = 0;
  std::vector<iovec> pieces_;  // never beyond kPiecesMax: spans of it are out
  std::vector<iovec> last_;    // the parts seen last
  bool last_joined_ = false;   // and they are pieces_.back()
};

}  // namespace hubbub
