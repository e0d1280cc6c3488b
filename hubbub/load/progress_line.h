// ProgressLine: how a run is coming along, on one line of the terminal; nothing where stderr is no terminal.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace hubbub::load {

class ProgressLine {
 public:
  explicit ProgressLine(bool wanted);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // What is being done: "opening", "warm-up", ...
  void set_phase(std::string phase) { phase_ = std::move(phase); }
  // `done`: messages so far, ever growing. Cheap; draws twice a second.
  void update(std::uint64_t now, std::uint64_t done) {
    if (on_ && now >= due_) draw(now, done);
  }
  void clear();

 private:
  void draw(std::uint64_t now, std::uint64_t done);

  bool on_;
  bool drawn_ = false;
  std::string phase_;
  std::uint64_t due_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t last_at_ = 0;
  std::uint64_t last_done_ = 0;
};

}  // namespace hubbub::load
