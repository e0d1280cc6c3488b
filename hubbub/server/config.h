// Config: everything the program can be told, from a TOML file, HUBBUB_* environment variables and flags;
// later wins. One table of keys (config_keys.h) drives all three, the help and docs/configuration.md. All
// mistakes are found in one pass and reported together, each with its place. Reads one file and nothing else
// of the world; throws nothing.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/clock.h"
#include "hubbub/core/access.h"
#include "hubbub/core/limits.h"
#include "hubbub/net/client_address.h"
#include "hubbub/server/spd_log.h"
#include "hubbub/wire/deflate.h"

namespace hubbub {

// Where to listen. `host` is an IP address without brackets ("localhost" has become 127.0.0.1).
struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one

  // 127.0.0.0/8 or ::1.
  [[nodiscard]] bool loopback() const;
  // "127.0.0.1:8080", "[::1]:8080".
  [[nodiscard]] std::string text() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// Reads "HOST:PORT" with an IPv4 address, an IPv6 address in brackets, or localhost. The error is the rest of
// the sentence: "must be ...".
[[nodiscard]] std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text);

struct Config {
  ListenAddress listen;             // server.listen
  std::size_t shards = 0;           // server.shards; 0: one for each core
  Millis drain_period_ms = 10'000;  // server.drain_period
  AccessRules access;               // access.allow, access.origins
  std::vector<std::string>
      cors_origins;  // cors.origins: for the plain HTTP endpoints; patterns as in access.origins
  std::vector<std::string> proxies;  // proxy.trusted: as AddressRange::parse reads them
  ForwardedHeader proxy_header = ForwardedHeader::x_forwarded_for;  // proxy.header
  wire::DeflateSettings compression;                                // compression.*
  LogLevel log_level = LogLevel::info;                              // log.level
  LogFormat log_format = LogFormat::text;                           // log.format
  Limits limits;  // limits.*, heartbeat.*, session.*, outbox.*, replay.*
};

// Where configuration comes from, in rising precedence.
struct ConfigSources {
  std::optional<std::string> file_path;
  // Variables whose name begins with HUBBUB_; others are passed over.
  std::vector<std::pair<std::string, std::string>> environment;
  // Flags: a key ("limits.batch_items", from --set) or a flag of its own ("--listen") with its value, in
  // order.
  std::vector<std::pair<std::string, std::string>> settings;
};

// One thing that is wrong.
struct Mistake {
  std::string place;  // "hubbub.toml:12", "HUBBUB_LOG_LEVEL", "--set limits.batch_items=0", "configuration"
  std::string key;    // "limits.batch_items"; empty where no key is meant
  std::string text;   // what is wrong and what to do

  // "hubbub.toml:12: limits.mesage_bytes: unknown key; did you mean limits.message_bytes?"; one line without
  // newline.
  [[nodiscard]] std::string line() const;
};

// The configuration, or every mistake in it: in the order file, environment, flags, rules between keys.
// `defaults` are the values of keys that no source names.
[[nodiscard]] std::expected<Config, std::vector<Mistake>> load_config(const ConfigSources& sources,
                                                                      Config defaults = {});

// Defaults of `serve --echo`, the conformance tool: messages up to 64 MiB, an outbox to match, no rate limit.
[[nodiscard]] Config echo_defaults();

// The effective configuration as a TOML document that load_config reads back to the same.
[[nodiscard]] std::string describe_config(const Config& config);

// Every key for people: docs/configuration.md, and a plain table for the terminal.
[[nodiscard]] std::string config_reference_markdown();
[[nodiscard]] std::string config_reference_text();

}  // namespace hubbub
