// The one table of configuration keys. TOML, environment, flags, help, documentation and mistakes all read
// it, so a key exists everywhere or nowhere.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/server/config.h"
#include "hubbub/server/config_value.h"

namespace hubbub::conf {

enum class ValueType : std::uint8_t { text, duration, bytes, count, rate, flag, list, reserved };

struct ConfigKey {
  std::string name{};  // "limits.message_bytes"
  ValueType
      type;  // reserved: known, but what it configures does not exist in this version; only "off" passes
  std::string_view flag{};    // "--listen", or empty: only --set
  std::string values{};       // what may stand there: "128..1GiB"
  std::string help{};         // one line
  std::string_view metric{};  // label of hubbub_limit_hits_total, or empty
  // Stores a value of a fitting type; the error is the rest of the sentence: "must be ...".
  std::function<Parsed<void>(Config&, const RawValue&)> set{};
  // The value as --set takes it.
  std::function<std::string(const Config&)> get{};

  // "HUBBUB_LIMITS_MESSAGE_BYTES".
  [[nodiscard]] std::string variable() const;
  // Checks the type, then set().
  [[nodiscard]] Parsed<void> apply(Config& config, const RawValue& value) const;
};

// All keys, by section. Built at first use; thread-safe.
[[nodiscard]] const std::vector<ConfigKey>& config_keys();
[[nodiscard]] const ConfigKey* find_key(std::string_view name);
[[nodiscard]] const ConfigKey* find_key_by_flag(std::string_view flag);
[[nodiscard]] const ConfigKey* find_key_by_variable(std::string_view variable);

// "a duration", for documentation.
[[nodiscard]] std::string_view type_name(ValueType type);

}  // namespace hubbub::conf
