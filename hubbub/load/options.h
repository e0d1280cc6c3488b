// What `hubbub bench` was asked to do. Defaults of counts depend on the mode: complete() fills them in and
// tells what does not go together.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/load/outcome.h"
#include "hubbub/load/upgrade.h"
#include "hubbub/load/url.h"

namespace hubbub::load {

enum class Mode : std::uint8_t { echo, fan_out, idle, connect, slow_readers, resume };
enum class Dialect : std::uint8_t { hubbub, raw };

[[nodiscard]] std::string_view mode_name(Mode mode);
[[nodiscard]] std::optional<Mode> mode_of(std::string_view name);

inline constexpr std::string_view kSubprotocol = "hubbub.v1";

struct Options {
  Mode mode = Mode::echo;
  Dialect dialect = Dialect::hubbub;
  std::string url_text = "ws://127.0.0.1:8080/ws";
  std::string publish_url_text{};  // "": url_text
  Url url{};                       // complete() reads them
  Url publish_url{};
  UpgradeSettings upgrade{};

  // Texts; nullopt: the dialect's own. With placeholders (message_template.h).
  std::vector<std::string> hello{};
  std::string hello_reply{};      // "": none is waited for
  std::string subscribe_reply{};  // the same
  std::optional<std::string> subscribe{};
  std::optional<std::string> publish{};
  std::optional<std::string> payload{};
  std::string expect{};
  bool binary = false;
  bool stream = false;
  std::optional<std::size_t> bytes{};
  std::uint32_t ack_every = 0;

  // How much; 0: the mode's default.
  std::size_t connections = 0;
  std::size_t publishers = 1;
  std::size_t in_flight = 0;
  double rate = 0;  // 0: closed loop
  double duration_s = 10;
  double warmup_s = 1;
  double timeout_s = 10;
  std::uint64_t messages = 0;
  std::size_t stalled = 100;
  bool close = false;
  bool call = false;

  std::vector<pid_t> pids{};
  bool json = false;
  bool quiet = false;

  [[nodiscard]] bool plain_hubbub() const {
    return dialect == Dialect::hubbub && upgrade.subprotocol.empty();
  }
};

// The error names the option and what is wrong with it.
[[nodiscard]] Outcome<Options> complete(Options options);

}  // namespace hubbub::load
