// Reading what the server must have sent: a member that is missing or of another type is a broken promise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "tests/sim/violation.h"

namespace hubbub::sim {

using Json = simdjson::dom::element;

inline std::string text_at(const Json& object, std::string_view key) {
  std::string_view value;
  demand(object[key].get(value) == simdjson::SUCCESS, "a text member is missing:", key);
  return std::string(value);
}

inline std::uint64_t number_at(const Json& object, std::string_view key) {
  std::uint64_t value = 0;
  demand(object[key].get(value) == simdjson::SUCCESS, "a number member is missing:", key);
  return value;
}

inline bool flag_at(const Json& object, std::string_view key) {
  bool value = false;
  demand(object[key].get(value) == simdjson::SUCCESS, "a flag member is missing:", key);
  return value;
}

inline std::optional<Json> member(const Json& object, std::string_view key) {
  Json value;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

inline simdjson::dom::array items_of(const Json& list) {
  simdjson::dom::array items;
  demand(list.get(items) == simdjson::SUCCESS, "a list is expected:", simdjson::minify(list));
  return items;
}

inline simdjson::dom::array items_at(const Json& object, std::string_view key) {
  const auto list = member(object, key);
  demand(list.has_value(), "a list member is missing:", key);
  return items_of(*list);
}

inline std::string string_of(const Json& text) {
  std::string_view value;
  demand(text.get(value) == simdjson::SUCCESS, "a string is expected:", simdjson::minify(text));
  return std::string(value);
}

}  // namespace hubbub::sim
