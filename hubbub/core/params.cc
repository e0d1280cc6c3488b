#include "hubbub/core/params.h"

#include <algorithm>
#include <bitset>
#include <cctype>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace hubbub {
namespace {

using detail::MemberReader;
using detail::StructReader;

constexpr double kExactMax = 9007199254740992.0;  // 2^53: up to here each integer has its own double

// At most kEchoBytesMax bytes of something a peer sent, cut between characters.
std::string shorten(std::string_view text) {
  if (text.size() <= kEchoBytesMax) return std::string(text);
  std::size_t end = kEchoBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string_view json_type(dom::element element) {
  switch (element.type()) {
    case dom::element_type::ARRAY: return "array";
    case dom::element_type::OBJECT: return "object";
    case dom::element_type::STRING: return "string";
    case dom::element_type::BOOL: return "boolean";
    case dom::element_type::NULL_VALUE: return "null";
    default: return "number";
  }
}

// The place as a sentence names it: `"since.offset"`, or `params`.
std::string quoted(const Path& path) { return path.is_root() ? "params" : '"' + path.text() + '"'; }

std::string with_article(std::string_view constraint) {
  if (constraint.starts_with("one of")) return std::string(constraint);
  const bool vowel = std::string_view("aeio").find(constraint.front()) != std::string_view::npos;
  return fmt::format("{} {}", vowel ? "an" : "a", constraint);
}

Error params_error(const Path& path, std::string constraint, std::string_view got, std::string detail) {
  Error error;
  error.code = Errc::invalid_params;
  error.field = path.text();
  error.constraint = std::move(constraint);
  error.got = got;
  error.detail = std::move(detail);
  return error;
}

// `found` is what the sentence says was found: the type, or the value where the type was right.
std::unexpected<Error> mismatch(const Path& path, std::string constraint, dom::element element, std::string_view found) {
  std::string detail = fmt::format("{} must be {}, got {}", quoted(path), with_article(constraint), found);
  return std::unexpected(params_error(path, std::move(constraint), json_type(element), std::move(detail)));
}

std::unexpected<Error> wrong_type(const Path& path, std::string constraint, dom::element element) {
  return mismatch(path, std::move(constraint), element, json_type(element));
}

bool length_fits(std::size_t length, const Bounds& bounds) {
  return length >= bounds.length_min && length <= bounds.length_max;
}

// " of 1..255 bytes"; nothing where there is no bound.
std::string length_text(const Bounds& bounds, std::string_view unit) {
  if (bounds.length_max == Bounds::kUnlimited) return {};
  if (bounds.length_min == bounds.length_max) return fmt::format(" of {} {}", bounds.length_min, unit);
  return fmt::format(" of {}..{} {}", bounds.length_min, bounds.length_max, unit);
}

std::string number_text(double value) {
  if (std::abs(value) >= wire::kNumberTooLarge) return "a number too large for a double";
  std::string text;
  wire::append_json_double(text, value);
  return text;
}

std::string found_number(dom::element element) {
  if (std::int64_t value = 0; element.get(value) == simdjson::SUCCESS) return fmt::format("{}", value);
  if (std::uint64_t value = 0; element.get(value) == simdjson::SUCCESS) return fmt::format("{}", value);
  double value = 0;
  return element.get(value) == simdjson::SUCCESS ? number_text(value) : std::string("number");
}

// The 64-bit signed range is what "integer" means to most; spelling it out would hide the point.
std::string integer_text(const Bounds& bounds) {
  constexpr Bounds kWidest = detail::bounds_of_type<std::int64_t>();
  if (bounds.low == kWidest.low && bounds.high == kWidest.high) return "integer";
  return fmt::format("integer in {}..{}", bounds.low, bounds.high);
}

std::string double_text(const Bounds& bounds) {
  const bool low = std::isfinite(bounds.number_low);
  const bool high = std::isfinite(bounds.number_high);
  if (low && high) return fmt::format("number in {}..{}", bounds.number_low, bounds.number_high);
  if (low) return fmt::format("number of at least {}", bounds.number_low);
  if (high) return fmt::format("number of at most {}", bounds.number_high);
  return "number";
}

// Case-insensitive Levenshtein distance of two names of at most kEchoBytesMax bytes.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::array<std::size_t, kEchoBytesMax + 1> row;
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// The member whose name was probably meant, or nullptr: at most two edits, and at most half of the name.
const MemberReader* nearest(std::span<const MemberReader> members, std::string_view name) {
  const MemberReader* best = nullptr;
  std::size_t best_distance = 3;
  if (name.size() > kEchoBytesMax) return nullptr;
  for (const MemberReader& member : members) {
    if (member.name.size() > kEchoBytesMax) continue;
    const std::size_t distance = edit_distance(name, member.name);
    if (distance >= best_distance || 2 * distance > member.name.size()) continue;
    best = &member;
    best_distance = distance;
  }
  return best;
}

std::string known_members(std::span<const MemberReader> members) {
  if (members.empty()) return "none is taken here";
  std::string text = "known are ";
  for (const MemberReader& member : members) {
    if (&member != &members.front()) text += ", ";
    text += member.name;
  }
  return text;
}

std::unexpected<Error> unknown_member(const StructReader& reader, const Path& parent, std::string_view name,
                                      dom::element element) {
  const MemberReader* meant = nearest(reader.members, name);
  const std::string advice =
      meant ? fmt::format("did you mean \"{}\"?", meant->name) : known_members(reader.members);
  return std::unexpected(params_error(Path(parent, name), "known member", json_type(element),
                                      fmt::format("unknown member \"{}\"; {}", shorten(name), advice)));
}

// The members of one struct that were given.
using Seen = std::bitset<detail::kMembersMax>;

Result<void> check_required(const StructReader& reader, const Seen& seen, const Path& path) {
  for (std::size_t i = 0; i < reader.members.size(); ++i) {
    if (!reader.members[i].required || seen[i]) continue;
    const Path here(path, reader.members[i].name);
    return std::unexpected(params_error(here, "required", "absent", fmt::format("{} is required", quoted(here))));
  }
  return {};
}

std::size_t find_member(std::span<const MemberReader> members, std::string_view name) {
  std::size_t index = 0;
  while (index < members.size() && members[index].name != name) ++index;
  return index;
}

Result<void> read_by_position(const StructReader& reader, dom::array items, std::string_view raw, void* object,
                              const Path& path) {
  const std::size_t count = items.size();
  const std::size_t most = reader.members.size();
  if (count > most)
    return std::unexpected(
        params_error(path, fmt::format("array of 0..{} items", most), "array",
                     fmt::format("{} must have at most {} items, got {}", quoted(path), most, count)));
  wire::JsonSlices slices(reader.needs_raw ? raw : std::string_view{});
  Seen seen;
  std::size_t index = 0;
  for (dom::element item : items) {
    if (reader.needs_raw && !slices.next()) return detail::slices_disagree();
    const MemberReader& member = reader.members[index];
    if (auto read = member.read(item, slices.value(), object, Path(path, member.name)); !read) return read;
    seen.set(index++);
  }
  return check_required(reader, seen, path);
}

}  // namespace

void Path::append_to(std::string& out) const {
  if (is_root()) return;
  parent_->append_to(out);
  if (is_index_) {
    fmt::format_to(std::back_inserter(out), "[{}]", index_);
    return;
  }
  if (!out.empty()) out += '.';
  out += shorten(name_);
}

std::string Path::text() const {
  if (is_root()) return "params";
  std::string out;
  append_to(out);
  return out;
}

namespace detail {

std::unexpected<Error> slices_disagree() { return fail(Errc::internal_error, "raw text and DOM disagree"); }

Error given_twice(const Path& path, dom::element element) {
  return params_error(path, "given once", json_type(element), fmt::format("{} is given twice", quoted(path)));
}

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
    if (seen[index]) return std::unexpected(given_twice(here, value));
    seen.set(index);
    if (auto read = member.read(value, slices.value(), object, here); !read) return read;
  }
  return check_required(reader, seen, path);
}

Result<void> read_params_struct(const StructReader& reader, const wire::RpcRequest& request, void* object) {
  const Path root;
  if (request.params.empty()) return check_required(reader, Seen{}, root);
  dom::array items;
  if (request.params_dom.get(items) == simdjson::SUCCESS)
    return read_by_position(reader, items, request.params, object, root);
  return read_struct(reader, request.params_dom, request.params, object, root);
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
    return mismatch(path, fmt::format("integer in {}..{}", bounds.low, bounds.high), element, found_number(element));
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
  if (element.get(value) != simdjson::SUCCESS) return wrong_type(path, "string" + length_text(bounds, "bytes"), element);
  if (!length_fits(value.size(), bounds))
    return mismatch(path, "string" + length_text(bounds, "bytes"), element, fmt::format("{} bytes", value.size()));
  return value;
}

Result<std::string_view> read_raw(dom::element element, std::string_view raw, const Path& path, const Bounds& bounds) {
  if (length_fits(raw.size(), bounds)) return raw;
  return mismatch(path, "JSON text" + length_text(bounds, "bytes"), element, fmt::format("{} bytes", raw.size()));
}

Result<std::size_t> read_enum(dom::element element, const Path& path, std::span<const std::string_view> names) {
  std::string_view name;
  const bool is_string = element.get(name) == simdjson::SUCCESS;
  const auto found = is_string ? std::find(names.begin(), names.end(), name) : names.end();
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string constraint = fmt::format("one of {}", fmt::join(names, ", "));
  if (!is_string) return wrong_type(path, std::move(constraint), element);
  return mismatch(path, std::move(constraint), element, '"' + shorten(name) + '"');
}

Result<dom::array> open_list(dom::element element, const Path& path, const Bounds& bounds) {
  dom::array list;
  if (element.get(list) != simdjson::SUCCESS) return wrong_type(path, "array" + length_text(bounds, "items"), element);
  if (!length_fits(list.size(), bounds))
    return mismatch(path, "array" + length_text(bounds, "items"), element, fmt::format("{} items", list.size()));
  return list;
}

Result<dom::object> open_map(dom::element element, const Path& path, const Bounds& bounds) {
  dom::object map;
  if (element.get(map) != simdjson::SUCCESS) return wrong_type(path, "object" + length_text(bounds, "members"), element);
  if (!length_fits(map.size(), bounds))
    return mismatch(path, "object" + length_text(bounds, "members"), element, fmt::format("{} members", map.size()));
  return map;
}

}  // namespace detail
}  // namespace hubbub
