// The workloads that are about connections, not messages: Opening counts how they open (modes connect and
// idle).
#pragma once

#include <string>

#include "hubbub/load/dialect.h"
#include "hubbub/load/engine.h"

namespace hubbub::load {

class Opening final : public Workload {
 public:
  Opening(const Options& options, Engine& engine);

  const Script& script(std::size_t) override { return script_; }
  Outcome<void> on_ready(std::size_t link, std::uint64_t now) override;
  Outcome<void> on_lost(std::size_t link, const std::string& reason, std::uint64_t now) override;
  // Nothing is expected; whatever a server sends to all is fine.
  Outcome<void> on_message(std::size_t, std::string_view, std::uint64_t) override { return {}; }

  // Connections that could not be opened, or were ended by the server; and the first reason.
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const Options& options_;
  Engine& engine_;
  Script script_;
  std::uint64_t errors_ = 0;
  std::string error_;
};

}  // namespace hubbub::load
