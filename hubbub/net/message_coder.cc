#include "hubbub/net/message_coder.h"

#include "hubbub/wire/ws_codec.h"

namespace hubbub {

MessageCoder::MessageCoder(const wire::DeflateParams& params, wire::Deflater& shared,
                           const wire::DeflateSettings& settings)
    : params_(params), shared_(&shared), settings_(&settings) {}

const Frame* MessageCoder::shared(const Frame& frame) {
  if (frame.payload().size() < settings_->size_min) return &frame;
  if (!params_.server_no_context_takeover) return nullptr;
  return wire::shared_deflated(frame, params_.server_max_window_bits, *shared_, *settings_);
}

FrameRef MessageCoder::encode(const Frame& frame) {
  const bool keep = !params_.server_no_context_takeover;
  if (!own_) own_.emplace(settings_->level, params_.server_max_window_bits, keep);
  const std::string_view small = own_->compress(frame.payload());
  const auto opcode = static_cast<wire::Opcode>(static_cast<unsigned char>(frame.wire().front()) & 0x0F);
  // With a context the compressed form must be sent, for the next message may refer to it.
  if (!keep && small.size() >= frame.payload().size()) return FrameRef::share(&frame);
  return wire::make_frame(opcode, small, true);
}

}  // namespace hubbub
