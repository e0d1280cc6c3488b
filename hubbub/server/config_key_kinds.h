// What makes the keys of configuration: one function for each kind of value. `access(config)` is a function
// that gives the place in a Config which the key stands for, for const and other configurations alike. The
// table of keys itself is config_keys.cc.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hubbub/server/config_keys.h"

namespace hubbub::conf {

// One name of a fixed set, and what it stands for.
template <class T>
struct Choice {
  std::string_view name;
  T value;
};

template <class T, std::size_t N>
std::string choice_names(const std::array<Choice<T>, N>& choices) {
  std::string out;
  for (const auto& choice : choices) out += fmt::format("{}{}", out.empty() ? "" : ", ", choice.name);
  return out;
}

// A number as `unit` is written. Errors say what is expected.
[[nodiscard]] Parsed<double> parse_number(Unit unit, std::string_view text);

[[nodiscard]] std::string join_list(const std::vector<std::string>& items);  // "a,b"

// A key for the number or flag that `access(config)` refers to.
template <class Access>
void bind_value(ConfigKey& key, Unit unit, Range range, Access access) {
  using T = std::remove_cvref_t<decltype(access(std::declval<Config&>()))>;
  if constexpr (std::same_as<T, bool>) {
    key.values = "true, false";
    key.set = [access](Config& config, const RawValue& raw) -> Parsed<void> {
      const auto value = parse_flag(raw.text);
      if (!value) return std::unexpected(value.error());
      access(config) = *value;
      return {};
    };
    key.get = [access](const Config& config) { return access(config) ? "true" : "false"; };
  } else {
    key.values = format_range(range, unit);
    key.set = [access, unit, range](Config& config, const RawValue& raw) -> Parsed<void> {
      const auto value = parse_number(unit, raw.text);
      if (!value) return std::unexpected(fmt::format("{} ({})", value.error(), format_range(range, unit)));
      if (const auto in_range = check_range(*value, range, unit); !in_range) return in_range;
      access(config) = static_cast<T>(*value);
      return {};
    };
    key.get = [access, unit](const Config& config) {
      return format_number(static_cast<double>(access(config)), unit);
    };
  }
}

template <class Access>
ConfigKey number_key(std::string name, ValueType type, Unit unit, Range range, std::string help,
                     Access access) {
  ConfigKey key{.name = std::move(name), .type = type, .help = std::move(help)};
  bind_value(key, unit, range, access);
  return key;
}

// The key of a row of limit_table().
[[nodiscard]] ConfigKey limit_key(const LimitInfo& info);

// A key that this version knows and cannot serve: only `off` and nothing are taken.
[[nodiscard]] ConfigKey reserved_key(std::string name, std::string off, std::string help);

template <class T, std::size_t N, class Access>
ConfigKey choice_key(std::string name, std::string_view flag, std::string help,
                     const std::array<Choice<T>, N>& choices, Access access) {
  ConfigKey key{.name = std::move(name), .type = ValueType::text, .flag = flag, .help = std::move(help)};
  key.values = choice_names(choices);
  key.set = [&choices, access](Config& config, const RawValue& raw) -> Parsed<void> {
    const auto choice = std::ranges::find(choices, std::string_view(raw.text), &Choice<T>::name);
    if (choice == choices.end()) return std::unexpected("must be one of " + choice_names(choices));
    access(config) = choice->value;
    return {};
  };
  key.get = [&choices, access](const Config& config) {
    return std::string(std::ranges::find(choices, access(config), &Choice<T>::value)->name);
  };
  return key;
}

template <class Access>
ConfigKey list_key(std::string name, std::string help, std::string values, bool (*valid)(std::string_view),
                   std::string must_be, Access access) {
  ConfigKey key{
      .name = std::move(name), .type = ValueType::list, .values = std::move(values), .help = std::move(help)};
  key.set = [valid, must_be, access](Config& config, const RawValue& raw) -> Parsed<void> {
    auto items = raw.shape == RawValue::Shape::array ? raw.items : split_list(raw.text);
    for (const std::string& item : items) {
      if (!valid(item))
        return std::unexpected(
            fmt::format("{} {}", RawValue{RawValue::Shape::string, item, {}}.shown(), must_be));
    }
    access(config) = std::move(items);
    return {};
  };
  key.get = [access](const Config& config) { return join_list(access(config)); };
  return key;
}

}  // namespace hubbub::conf
