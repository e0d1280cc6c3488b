// MessageCoder: how one connection's messages look on the wire. Without compression, the shared frame; with
// permessage-deflate, the frame's shared compressed twin; where the twin does not fit the peer's window, or
// the peer keeps a context, a private compressed copy.
#pragma once

#include <memory>
#include <optional>

#include "hubbub/wire/deflate.h"

namespace hubbub {

class MessageCoder {
 public:
  // `shared` (the shard's 15-bit Deflater without context) and `settings` outlive the coder.
  MessageCoder(const wire::DeflateParams& params, wire::Deflater& shared,
               const wire::DeflateSettings& settings);

  // From now on it is another shard's: `shared` and `settings` are.
  void adopt(wire::Deflater& shared, const wire::DeflateSettings& settings) {
    shared_ = &shared;
    settings_ = &settings;
  }

  // The frame to write for `frame`, or nullptr if it must be encoded privately. The same answer whenever
  // asked again.
  [[nodiscard]] const Frame* shared(const Frame& frame);
  // A private encoding; advances the context, so each message exactly once and in order.
  [[nodiscard]] FrameRef encode(const Frame& frame);

 private:
  wire::DeflateParams params_;
  wire::Deflater* shared_;
  const wire::DeflateSettings* settings_;
  std::optional<wire::Deflater> own_;
};

}  // namespace hubbub
