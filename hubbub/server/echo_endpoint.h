// EchoEndpoint: echoes every message, text and binary, as it came. A conformance tool (`hubbub serve --echo`)
// for suites such as Autobahn; no JSON-RPC, no sessions.
#pragma once

#include "hubbub/core/env.h"
#include "hubbub/core/link.h"
#include "hubbub/core/outbox.h"

namespace hubbub {

class EchoEndpoint final : public Endpoint {
 public:
  explicit EchoEndpoint(const Env& env) : env_(env) {}

  void on_open(Link& link) override { link_ = &link; }
  void on_text(std::string_view text) override;
  void on_binary(std::string_view bytes) override;
  void on_stalled() override;
  void on_closing() override {}
  void on_superseded() override {}
  void on_gone() override { link_ = nullptr; }
  [[nodiscard]] FrameRef farewell(std::uint16_t, std::string_view, std::int64_t) override { return {}; }
  [[nodiscard]] Outbox* outbox() override { return &outbox_; }
  void on_sent(std::size_t count) override;
  [[nodiscard]] bool accepts_input() const override {
    return outbox_.unsent_bytes() <= env_.limits.outbox_soft_bytes;
  }

 private:
  const Env& env_;
  Link* link_ = nullptr;
  Outbox outbox_;
};

}  // namespace hubbub
