#include "hubbub/server/config_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hubbub/server/config_key_kinds.h"

namespace hubbub::conf {
namespace {

constexpr double kHourMs = 3'600'000;
constexpr double kCompressMinMax = 1 << 30;

constexpr auto kLogLevels = std::to_array<Choice<LogLevel>>({{"debug", LogLevel::debug},
                                                             {"info", LogLevel::info},
                                                             {"warn", LogLevel::warn},
                                                             {"error", LogLevel::error}});
constexpr auto kForwardedHeaders = std::to_array<Choice<ForwardedHeader>>(
    {{"x-forwarded-for", ForwardedHeader::x_forwarded_for}, {"forwarded", ForwardedHeader::forwarded}});
constexpr auto kLogFormats =
    std::to_array<Choice<LogFormat>>({{"text", LogFormat::text}, {"json", LogFormat::json}});

ConfigKey listen_key() {
  ConfigKey key{.name = "server.listen", .type = ValueType::text, .flag = "--listen", .values = "HOST:PORT"};
  key.help =
      "address to listen on: an IPv4 address, an IPv6 address in brackets, or localhost; port 0 takes any "
      "free one. "
      "Other than loopback only with access.allow";
  key.set = [](Config& config, const RawValue& raw) -> Parsed<void> {
    auto address = parse_listen_address(raw.text);
    if (!address) return std::unexpected(address.error());
    config.listen = std::move(*address);
    return {};
  };
  key.get = [](const Config& config) { return config.listen.text(); };
  return key;
}

ConfigKey shards_key() {
  ConfigKey key{.name = "server.shards", .type = ValueType::count, .values = "0-1024"};
  key.help = "threads that serve connections; 0: one for each core";
  key.set = [](Config& config, const RawValue& raw) -> Parsed<void> {
    const auto value = parse_count(raw.text);
    if (!value || *value > 1024) return std::unexpected("must be a whole number from 0 to 1024");
    config.shards = *value;
    return {};
  };
  key.get = [](const Config& config) { return fmt::format("{}", config.shards); };
  return key;
}

void add_server_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(listen_key());
  keys.push_back(shards_key());
  keys.push_back(number_key("server.drain_period", ValueType::duration, Unit::ms, {1, kHourMs, "all at once"},
                            "time over which connections are closed after SIGTERM or SIGINT",
                            [](auto& c) -> auto& { return c.drain_period_ms; }));
}

void add_access_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(list_key(
      "access.allow",
      "methods that clients may call; * at the end stands for any ending, * alone for every method. "
      "Empty: every method, on loopback addresses only",
      "method names", valid_method_pattern,
      "must be a method name, or the beginning of one with * at the end; outside TOML a list is written a,b",
      [](auto& c) -> auto& { return c.access.allow; }));
  constexpr const char* kOriginRule =
      "must be an origin such as https://app.example.com, https://*.example.com, null, or *, without a path";
  keys.push_back(list_key(
      "access.origins",
      "web pages that may connect, besides those of this host (while access.allow is empty: besides "
      "those of this machine)",
      "origins", valid_origin_pattern, kOriginRule, [](auto& c) -> auto& { return c.access.origins; }));
  keys.push_back(list_key("cors.origins", "web pages that may read the plain HTTP endpoints (CORS)",
                          "origins", valid_origin_pattern, kOriginRule,
                          [](auto& c) -> auto& { return c.cors_origins; }));
}

void add_compression_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(number_key("compression.enabled", ValueType::flag, Unit::count, {},
                            "whether permessage-deflate is agreed to when a client offers it",
                            [](auto& c) -> auto& { return c.compression.enabled; }));
  keys.push_back(number_key("compression.level", ValueType::count, Unit::count, {1, 9, ""},
                            "effort: 1 is fast, 9 is small",
                            [](auto& c) -> auto& { return c.compression.level; }));
  keys.push_back(number_key("compression.min_bytes", ValueType::bytes, Unit::bytes, {0, kCompressMinMax, ""},
                            "smaller messages go out uncompressed",
                            [](auto& c) -> auto& { return c.compression.size_min; }));
  keys.push_back(
      number_key("compression.context_takeover", ValueType::flag, Unit::count, {},
                 "keep the window between messages: smaller, but each connection then has its own compressor",
                 [](auto& c) -> auto& { return c.compression.context_takeover; }));
}

void add_other_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(choice_key("log.level", "--log-level", "the least important lines to write", kLogLevels,
                            [](auto& c) -> auto& { return c.log_level; }));
  keys.push_back(choice_key("log.format", "--log-format", "lines of name=value, or one JSON object a line",
                            kLogFormats, [](auto& c) -> auto& { return c.log_format; }));
  keys.push_back(reserved_key("tls.cert", "", "certificate chain, PEM"));
  keys.push_back(reserved_key("tls.key", "", "private key, PEM"));
  keys.push_back(reserved_key("proxy.protocol", "off", "PROXY protocol on new connections"));
  keys.push_back(list_key(
      "proxy.trusted",
      "proxies whose word about the client's address counts (proxy.header); they are not held by limits.ip_*",
      "addresses, networks", [](std::string_view text) { return AddressRange::parse(text).has_value(); },
      "must be an IP address or a network, such as 10.0.0.0/8 or 2001:db8::/32, without bits behind the "
      "prefix",
      [](auto& c) -> auto& { return c.proxies; }));
  keys.push_back(choice_key("proxy.header", "", "where all of proxy.trusted tell the client's address",
                            kForwardedHeaders, [](auto& c) -> auto& { return c.proxy_header; }));
}

std::vector<ConfigKey> build_keys() {
  std::vector<ConfigKey> keys;
  add_server_keys(keys);
  add_access_keys(keys);
  for (const LimitInfo& info : limit_table()) keys.push_back(limit_key(info));
  add_compression_keys(keys);
  add_other_keys(keys);
  return keys;
}

template <class Projection>
const ConfigKey* find_by(std::string_view wanted, Projection projection) {
  const auto found =
      std::ranges::find_if(config_keys(), [&](const ConfigKey& key) { return projection(key) == wanted; });
  return found == config_keys().end() ? nullptr : &*found;
}

// Whether a TOML type may stand for a value of this key. Text from environment and flags may stand for
// anything.
bool fits(ValueType type, const RawValue& value) {
  using Shape = RawValue::Shape;
  if (value.shape == Shape::text) return true;
  switch (type) {
    case ValueType::text:
      return value.shape == Shape::string;
    case ValueType::duration:
      return value.shape == Shape::string || value.shape == Shape::integer;
    case ValueType::bytes:
      return value.shape == Shape::string || value.shape == Shape::integer;
    case ValueType::count:
      return value.shape == Shape::integer;
    case ValueType::rate:
      return value.shape == Shape::integer || value.shape == Shape::real;
    case ValueType::flag:
      return value.shape == Shape::boolean;
    case ValueType::list:
      return value.shape == Shape::string || value.shape == Shape::array;
    case ValueType::reserved:
      break;
  }
  return true;
}

std::string_view toml_example(ValueType type) {
  switch (type) {
    case ValueType::text:
      return "a string in quotes";
    case ValueType::duration:
      return "a duration in quotes, such as \"25s\"";
    case ValueType::bytes:
      return "a size in quotes, such as \"64KiB\", or an integer";
    case ValueType::count:
      return "an integer without quotes";
    case ValueType::rate:
      return "a number without quotes";
    case ValueType::flag:
      return "true or false without quotes";
    case ValueType::list:
      return "an array of strings, such as [\"a\", \"b\"]";
    case ValueType::reserved:
      break;
  }
  return "";
}

}  // namespace

std::string ConfigKey::variable() const {
  std::string out = "HUBBUB_";
  for (const char c : name)
    out += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

Parsed<void> ConfigKey::apply(Config& config, const RawValue& value) const {
  if (!fits(type, value))
    return std::unexpected(fmt::format("must be {}; found {}", toml_example(type), value.shape_name()));
  return set(config, value);
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = build_keys();
  return keys;
}

const ConfigKey* find_key(std::string_view name) {
  return find_by(name, [](const ConfigKey& key) -> std::string_view { return key.name; });
}

const ConfigKey* find_key_by_flag(std::string_view flag) {
  if (flag.empty()) return nullptr;
  return find_by(flag, [](const ConfigKey& key) { return key.flag; });
}

const ConfigKey* find_key_by_variable(std::string_view variable) {
  return find_by(variable, [](const ConfigKey& key) { return key.variable(); });
}

std::string_view type_name(ValueType type) {
  switch (type) {
    case ValueType::text:
      return "text";
    case ValueType::duration:
      return "duration";
    case ValueType::bytes:
      return "size";
    case ValueType::count:
      return "integer";
    case ValueType::rate:
      return "number";
    case ValueType::flag:
      return "boolean";
    case ValueType::list:
      return "list";
    case ValueType::reserved:
      break;
  }
  return "reserved";
}

}  // namespace hubbub::conf
