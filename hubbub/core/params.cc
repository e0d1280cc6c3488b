// The readers that do not depend on a C++ type: loops over members, and one reader a JSON type.
#include "hubbub/core/params.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "hubbub/core/params_error.h"

namespace hubbub::detail {
namespace {

constexpr double kExactMax = 9007199254740992.0;  // 2^53: up to here each integer has its own double

bool length_fits(std::size_t length, const Bounds& bounds) {
  return length >= bounds.length_min && length <= bounds.length_max;
}

// The members of one struct that were given.
using Seen = std::bitset<kMembersMax>;

Result<void> check_required(const StructReader& reader, const Seen& seen, const Path& path) {
  for (std::size_t i = 0; i < reader.members.size(); ++i) {
    if (!reader.members[i].required || seen[i]) continue;
    return missing(Path(path, reader.members[i].name));
  }
  return {};
}

std::size_t find_member(std::span<const MemberReader> members, std::string_view name) {
  std::size_t index = 0;
  while (index < members.size() && members[index].name != name) ++index;
  return index;
}

Result<void> read_by_position(const StructReader& reader, dom::array items, std::string_view raw,
                              void* object, const Path& path) {
  if (items.size() > reader.members.size()) return too_many_items(path, reader.members.size(), items.size());
  wire::JsonSlices slices(reader.needs_raw ? raw : std::string_view{});
  Seen seen;
  std::size_t index = 0;
  for (dom::element item : items) {
    if (reader.needs_raw && !slices.next()) return slices_disagree();
    const MemberReader& member = reader.members[index];
    if (auto read = member.read(item, slices.value(), object, Path(path, member.name)); !read) return read;
    seen.set(index++);
  }
  return check_required(reader, seen, path);
}

}  // namespace

Result<void> read_struct(const StructReader& reader, dom::element element, std::string_view raw, void* object,
                         const Path& path) {
  dom::object members;
  if (element.get(members) != simdjson::SUCCESS) return wrong_type(path, "object", element);
  wire::JsonSlices slices(reader.needs_raw ? raw : std::string_view{});
  Seen seen;
  for (auto [name, value] : members) {
    if (reader.needs_raw && !slices.next()) return slices_disagree();
    const std::size_t index = find_member(reader.members, name);
    if (index == reader.members.size()) return unknown_member(reader, path, name, value);
    const MemberReader& member = reader.members[index];
    const Path here(path, member.name);
    if (seen[index]) return given_twice(here, value);
    seen.set(index);
    if (auto read = member.read(value, slices.value(), object, here); !read) return read;
  }
  return check_required(reader, seen, path);
}

Result<void> read_params_struct(const StructReader& reader, const wire::RpcRequest& request, void* object) {
  const Path root;
  if (request.params.empty()) return check_required(reader, Seen{}, root);
  const auto params = wire::dom_of_params(request);
  if (!params) return std::unexpected(params.error());
  dom::array items;
  if (params->get(items) == simdjson::SUCCESS)
    return read_by_position(reader, items, request.params, object, root);
  return read_struct(reader, *params, request.params, object, root);
}

Result<bool> read_bool(dom::element element, const Path& path) {
  bool value = false;
  if (element.get(value) != simdjson::SUCCESS) return wrong_type(path, "boolean", element);
  return value;
}

Result<Wide> read_integer(dom::element element, const Path& path, const Bounds& bounds) {
  Wide value = 0;
  if (std::int64_t narrow = 0; element.get(narrow) == simdjson::SUCCESS) {
    value = narrow;
  } else if (std::uint64_t large = 0; element.get(large) == simdjson::SUCCESS) {
    value = large;
  } else {
    double real = 0;
    if (element.get(real) != simdjson::SUCCESS) return wrong_type(path, integer_text(bounds), element);
    if (real != std::trunc(real) || std::abs(real) >= wire::kNumberTooLarge)
      return mismatch(path, integer_text(bounds), element, number_text(real));
    if (std::abs(real) > kExactMax)
      return mismatch(path, integer_text(bounds), element,
                      number_text(real) + " (beyond 2^53 write it without fraction and exponent)");
    value = static_cast<Wide>(real);
  }
  if (value < bounds.low || value > bounds.high)
    return mismatch(path, fmt::format("integer in {}..{}", bounds.low, bounds.high), element,
                    found_number(element));
  return value;
}

Result<double> read_double(dom::element element, const Path& path, const Bounds& bounds) {
  double value = 0;
  if (element.get(value) != simdjson::SUCCESS) return wrong_type(path, double_text(bounds), element);
  if (std::abs(value) >= wire::kNumberTooLarge || value < bounds.number_low || value > bounds.number_high)
    return mismatch(path, double_text(bounds), element, found_number(element));
  return value;
}

Result<std::string_view> read_string(dom::element element, const Path& path, const Bounds& bounds) {
  std::string_view value;
  if (element.get(value) != simdjson::SUCCESS)
    return wrong_type(path, "string" + length_text(bounds, "bytes"), element);
  if (!length_fits(value.size(), bounds))
    return mismatch(path, "string" + length_text(bounds, "bytes"), element,
                    fmt::format("{} bytes", value.size()));
  return value;
}

Result<std::string_view> read_raw(dom::element element, std::string_view raw, const Path& path,
                                  const Bounds& bounds) {
  if (length_fits(raw.size(), bounds)) return raw;
  return mismatch(path, "JSON text" + length_text(bounds, "bytes"), element,
                  fmt::format("{} bytes", raw.size()));
}

Result<std::size_t> read_enum(dom::element element, const Path& path,
                              std::span<const std::string_view> names) {
  std::string_view name;
  const bool is_string = element.get(name) == simdjson::SUCCESS;
  const auto found = is_string ? std::find(names.begin(), names.end(), name) : names.end();
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  if (!is_string) return wrong_type(path, enum_text(names), element);
  return mismatch(path, enum_text(names), element, echo_text(name));
}

Result<dom::array> open_list(dom::element element, const Path& path, const Bounds& bounds) {
  dom::array list;
  if (element.get(list) != simdjson::SUCCESS)
    return wrong_type(path, "array" + length_text(bounds, "items"), element);
  if (!length_fits(list.size(), bounds))
    return mismatch(path, "array" + length_text(bounds, "items"), element,
                    fmt::format("{} items", list.size()));
  return list;
}

Result<dom::object> open_map(dom::element element, const Path& path, const Bounds& bounds) {
  dom::object map;
  if (element.get(map) != simdjson::SUCCESS)
    return wrong_type(path, "object" + length_text(bounds, "members"), element);
  if (!length_fits(map.size(), bounds))
    return mismatch(path, "object" + length_text(bounds, "members"), element,
                    fmt::format("{} members", map.size()));
  return map;
}

}  // namespace hubbub::detail
