// Vandal: a peer that does not keep to the protocol: garbage, half frames, floods, binary, huge messages. Its
// own fate is of no interest; nobody else may notice it.
#pragma once

#include <cstdint>
#include <string>

#include "hubbub/base/rng.h"
#include "tests/sim/sim_peer.h"

namespace hubbub::sim {

class Vandal {
 public:
  Vandal(ShardedWorld& world, std::uint64_t seed) : rng_(seed), peer_(world, rng_), style_(rng_.below(8)) {
    if (style_ > 0) peer_.upgrade(rng_.below(2) == 0);
  }

  void step() {
    if (peer_.idle() && steps_ < 20) misbehave();
    peer_.pump_out(static_cast<std::size_t>(rng_.below(3000)));
    // Some never read.
    if (style_ != 7) {
      peer_.pump_in(kUnlimited);
      while (peer_.next()) {
      }
    }
    if (++steps_ > 60) peer_.cut(rng_.below(2) == 0 ? Cut::reset : Cut::silent);
  }
  void leave() { peer_.cut(Cut::reset); }
  [[nodiscard]] bool gone() const { return peer_.ended() || peer_.is_cut(); }

 private:
  void misbehave() {
    switch (style_) {
      case 0:
      case 1:
        return peer_.raw(noise(200));
      case 2:
        return peer_.frame(wire::Opcode::binary, noise(100));
      case 3:
        return peer_.text(std::string(100'000, 'x'));
      case 4:
        return peer_.raw(std::string("\x81\xFE\x7F", 3));  // the header of a long frame, never more
      case 5:
        for (int i = 0; i < 50; ++i) peer_.frame(wire::Opcode::ping, noise(100));
        return;
      case 6:
        return peer_.text(rng_.below(2) == 0
                              ? noise(30)
                              : R"({"jsonrpc":"2.0","method":"session.ack","params":{"received":99999}})");
      default:
        return peer_.text(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":[")" + std::string(2000, 'y') +
                          "\"]}");
    }
  }
  std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    rng_.fill({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
    return bytes;
  }

  SeededRng rng_;
  SimPeer peer_;
  std::uint64_t style_;
  unsigned steps_ = 0;
};

}  // namespace hubbub::sim
