// load_config: sources in order, then the rules between keys. The values themselves are judged in
// config_keys.cc.
#include "hubbub/server/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "hubbub/server/config_file.h"
#include "hubbub/server/config_keys.h"

namespace hubbub {

using namespace conf;  // keys, values and the file: the parts of configuration

namespace {

constexpr std::string_view kVariablePrefix = "HUBBUB_";

// Variables with our prefix that are no configuration. Orchestrators put the address of a service called
// "hubbub" into every container as HUBBUB_SERVICE_HOST, HUBBUB_PORT, HUBBUB_PORT_8080_TCP...; scripts around
// the program use the rest.
constexpr auto kForeignVariables = std::to_array<std::string_view>(
    {"HUBBUB_SERVICE_*", "HUBBUB_PORT", "HUBBUB_PORT_*", "HUBBUB_BIN", "HUBBUB_TEST_*"});

bool is_foreign(std::string_view variable) {
  return std::ranges::any_of(kForeignVariables, [variable](std::string_view pattern) {
    if (!pattern.ends_with('*')) return pattern == variable;
    return variable.starts_with(pattern.substr(0, pattern.size() - 1));
  });
}

std::string unknown_text(std::string_view what, std::string_view suggestion) {
  if (suggestion.empty()) return fmt::format("unknown {}; `hubbub keys` lists all", what);
  return fmt::format("unknown {}; did you mean {}?", what, suggestion);
}

std::string_view nearest_key(std::string_view word) {
  std::vector<std::string_view> names;
  for (const ConfigKey& key : config_keys()) names.emplace_back(key.name);
  return nearest(word, names);
}

std::string nearest_variable(std::string_view word) {
  std::vector<std::string> names;
  for (const ConfigKey& key : config_keys()) names.push_back(key.variable());
  return std::string(nearest(word, {names.begin(), names.end()}));
}

// One pass over the sources: the configuration so far, where each key was last set, and what was wrong.
class Loader {
 public:
  explicit Loader(Config defaults) : config_(std::move(defaults)) {}

  void read_file(const std::string& path);
  void read_environment(const std::vector<std::pair<std::string, std::string>>& environment);
  void read_settings(const std::vector<std::pair<std::string, std::string>>& settings);
  void check_rules();

  [[nodiscard]] std::expected<Config, std::vector<Mistake>> finish() && {
    if (!mistakes_.empty()) return std::unexpected(std::move(mistakes_));
    return std::move(config_);
  }

 private:
  void apply(const ConfigKey& key, const RawValue& value, const std::string& place, bool place_shows_value);
  void mistake(std::string place, std::string key, std::string text) {
    mistakes_.push_back({std::move(place), std::move(key), std::move(text)});
  }
  // True if one of the keys already had a mistake: a rule over a value nobody wanted would only confuse.
  [[nodiscard]] bool is_bad(std::string_view key) const {
    return std::ranges::any_of(mistakes_, [key](const Mistake& m) { return m.key == key; });
  }
  [[nodiscard]] std::string place_of(std::string_view key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? "" : found->second;
  }
  void check_rule(const LimitRule& rule);
  void check_protected_mode();

  Config config_;
  std::map<std::string, std::string, std::less<>> places_;
  std::vector<Mistake> mistakes_;
};

void Loader::apply(const ConfigKey& key, const RawValue& value, const std::string& place,
                   bool place_shows_value) {
  places_.insert_or_assign(key.name, place);
  const auto result = key.apply(config_, value);
  if (result) return;
  mistake(place, key.name,
          place_shows_value ? result.error() : fmt::format("{}: {}", value.shown(), result.error()));
}

void Loader::read_file(const std::string& path) {
  FileContents file = read_config_file(path);
  std::ranges::move(file.mistakes, std::back_inserter(mistakes_));
  std::map<std::string, int> lines;
  for (const FileSetting& setting : file.settings) {
    const std::string place = fmt::format("{}:{}", path, setting.line);
    const ConfigKey* const key = find_key(setting.key);
    const auto [first, fresh] = lines.try_emplace(setting.key, setting.line);
    if (key == nullptr) {
      mistake(place, setting.key, unknown_text("key", nearest_key(setting.key)));
    } else if (!fresh) {
      mistake(place, setting.key, fmt::format("given twice; first on line {}", first->second));
    } else {
      apply(*key, setting.value, place, false);
    }
  }
}

void Loader::read_environment(const std::vector<std::pair<std::string, std::string>>& environment) {
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kVariablePrefix) || is_foreign(name)) continue;
    if (const ConfigKey* const key = find_key_by_variable(name)) {
      apply(*key, {RawValue::Shape::text, value, {}}, name, false);
    } else {
      mistake(name, "", unknown_text("variable", nearest_variable(name)));
    }
  }
}

void Loader::read_settings(const std::vector<std::pair<std::string, std::string>>& settings) {
  for (const auto& [name, value] : settings) {
    const bool own_flag = name.starts_with("--");
    const std::string place = own_flag ? name + " " + value : fmt::format("--set {}={}", name, value);
    if (const ConfigKey* const key = own_flag ? find_key_by_flag(name) : find_key(name)) {
      apply(*key, {RawValue::Shape::text, value, {}}, place, true);
    } else {
      mistake(place, own_flag ? "" : name, unknown_text("key", nearest_key(name)));
    }
  }
}

void Loader::check_rules() {
  for (const LimitRule& rule : limit_rules()) check_rule(rule);
  check_protected_mode();
}

void Loader::check_rule(const LimitRule& rule) {
  if (is_bad(rule.key) || is_bad(rule.other) || rule.holds(config_.limits)) return;
  const std::string own_place = place_of(rule.key);
  const std::string place = own_place.empty() ? place_of(rule.other) : own_place;
  mistake(place.empty() ? "configuration" : place, std::string(rule.key),
          fmt::format("{} {}; {} is {}, {} is {}: change one of them", rule.key, rule.text, rule.key,
                      find_key(rule.key)->get(config_), rule.other, find_key(rule.other)->get(config_)));
}

void Loader::check_protected_mode() {
  if (config_.access.configured() || config_.listen.loopback()) return;
  if (is_bad("access.allow") || is_bad("server.listen")) return;
  const std::string place = place_of("server.listen");
  mistake(
      place.empty() ? "configuration" : place, "server.listen",
      fmt::format(
          "protected mode: without access.allow the hub listens on loopback addresses only, and {} is none. "
          "Say which methods clients may call, such as access.allow = [\"session.*\", \"topic.*\", \"ping\", "
          "\"echo\"], and which web pages may connect, such as access.origins = "
          "[\"https://app.example.com\"]; or listen on 127.0.0.1:{}",
          config_.listen.text(), config_.listen.port));
}

}  // namespace

bool ListenAddress::loopback() const { return is_loopback_name(host); }

std::string ListenAddress::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  constexpr const char* kMustBe =
      "must be HOST:PORT with an IP address or localhost, such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::unexpected(kMustBe);
  ListenAddress out;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size())
    return std::unexpected(fmt::format("{}; the port is 0..65535", kMustBe));
  out.host = text.substr(0, colon);
  if (out.host == "localhost") out.host = "127.0.0.1";
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, out.host.c_str(), bytes.data()) == 1) return out;
  if (!out.host.starts_with('[') || !out.host.ends_with(']')) return std::unexpected(kMustBe);
  out.host = out.host.substr(1, out.host.size() - 2);
  if (inet_pton(AF_INET6, out.host.c_str(), bytes.data()) != 1) return std::unexpected(kMustBe);
  // One spelling for one address: 0:0::1 is ::1, and counts as loopback.
  std::array<char, INET6_ADDRSTRLEN> name{};
  out.host = inet_ntop(AF_INET6, bytes.data(), name.data(), name.size());
  return out;
}

std::string Mistake::line() const {
  const bool place_names_key = key.empty() || place.starts_with("--") || place.starts_with(kVariablePrefix);
  const std::string whole =
      place_names_key ? fmt::format("{}: {}", place, text) : fmt::format("{}: {}: {}", place, key, text);
  std::string out;
  for (const char c : whole) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return out;
}

std::expected<Config, std::vector<Mistake>> load_config(const ConfigSources& sources, Config defaults) {
  Loader loader(std::move(defaults));
  if (sources.file_path) loader.read_file(*sources.file_path);
  loader.read_environment(sources.environment);
  loader.read_settings(sources.settings);
  loader.check_rules();
  return std::move(loader).finish();
}

Config echo_defaults() {
  Config config;
  config.limits.message_bytes = std::size_t{64} << 20;
  config.limits.outbox_soft_bytes = std::size_t{128} << 20;
  config.limits.outbox_hard_bytes = std::size_t{256} << 20;
  config.limits.rate_per_s = 0;
  config.limits.ip_connects_per_s = 0;
  return config;
}

}  // namespace hubbub
