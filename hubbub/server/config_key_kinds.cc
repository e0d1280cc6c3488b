#include "hubbub/server/config_key_kinds.h"

#include <fmt/ranges.h>

namespace hubbub::conf {
namespace {

struct UnitTraits {
  std::string_view name;  // LimitInfo::unit
  Unit unit;
  ValueType type;
};

constexpr auto kUnits = std::to_array<UnitTraits>({{"bytes", Unit::bytes, ValueType::bytes},
                                                   {"ms", Unit::ms, ValueType::duration},
                                                   {"count", Unit::count, ValueType::count},
                                                   {"per_s", Unit::per_s, ValueType::rate},
                                                   {"flag", Unit::count, ValueType::flag}});

}  // namespace

Parsed<double> parse_number(Unit unit, std::string_view text) {
  if (unit == Unit::per_s) return parse_rate(text);
  const auto value = unit == Unit::bytes ? parse_bytes(text)
                     : unit == Unit::ms  ? parse_duration(text)
                                         : parse_count(text);
  if (!value) return std::unexpected(value.error());
  return static_cast<double>(*value);
}

std::string join_list(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ","));
}

ConfigKey limit_key(const LimitInfo& info) {
  const auto* const traits = std::ranges::find(kUnits, info.unit, &UnitTraits::name);
  ConfigKey key{.name = std::string(info.key), .type = traits->type, .metric = info.metric};
  key.help = traits->type == ValueType::flag ? std::string(info.bounds)
                                             : fmt::format("{}; at the bound: {}", info.bounds, info.on_hit);
  const Range range{info.min, info.max, info.zero_means};
  std::visit(
      [&](auto field) {
        bind_value(key, traits->unit, range, [field](auto& config) -> auto& { return config.limits.*field; });
      },
      info.field);
  return key;
}

ConfigKey reserved_key(std::string name, std::string off, std::string help) {
  ConfigKey key{.name = std::move(name), .type = ValueType::reserved, .values = "off"};
  key.help = help + " (not available in this version)";
  key.set = [](Config&, const RawValue& raw) -> Parsed<void> {
    const bool off_value = raw.shape == RawValue::Shape::array ? raw.items.empty()
                                                               : raw.text.empty() || raw.text == "off" ||
                                                                     raw.text == "0" || raw.text == "false";
    if (!off_value) return std::unexpected("not available in this version: remove it");
    return {};
  };
  key.get = [off = std::move(off)](const Config&) { return off; };
  return key;
}

}  // namespace hubbub::conf
