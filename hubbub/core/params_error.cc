// The sentences and constraints of wrong params, and the search for the name that was meant.
#include "hubbub/core/params_error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "hubbub/wire/utf8.h"

namespace hubbub {
namespace {

using detail::MemberReader;

// At most kEchoBytesMax bytes of something a peer sent, cut between characters.
std::string shorten(std::string_view text) {
  if (text.size() <= kEchoBytesMax) return std::string(text);
  return std::string(wire::utf8_prefix(text, kEchoBytesMax)) + "…";
}

std::string_view json_type(dom::element element) {
  switch (element.type()) {
    case dom::element_type::ARRAY:
      return "array";
    case dom::element_type::OBJECT:
      return "object";
    case dom::element_type::STRING:
      return "string";
    case dom::element_type::BOOL:
      return "boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "number";
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

void append_item(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += item;
}

// Case-insensitive Levenshtein distance of two names of at most kEchoBytesMax bytes.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
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
  std::string names;
  for (const MemberReader& member : members) append_item(names, member.name);
  return "known are " + names;
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

std::unexpected<Error> mismatch(const Path& path, std::string constraint, dom::element element,
                                std::string_view found) {
  std::string detail = fmt::format("{} must be {}, got {}", quoted(path), with_article(constraint), found);
  return std::unexpected(params_error(path, std::move(constraint), json_type(element), std::move(detail)));
}

std::unexpected<Error> wrong_type(const Path& path, std::string constraint, dom::element element) {
  return mismatch(path, std::move(constraint), element, json_type(element));
}

std::unexpected<Error> missing(const Path& path) {
  return std::unexpected(params_error(path, "required", "absent", quoted(path) + " is required"));
}

std::unexpected<Error> given_twice(const Path& path, dom::element element) {
  return std::unexpected(
      params_error(path, "given once", json_type(element), quoted(path) + " is given twice"));
}

std::unexpected<Error> too_many_items(const Path& path, std::size_t most, std::size_t count) {
  return std::unexpected(
      params_error(path, fmt::format("array of 0..{} items", most), "array",
                   fmt::format("{} must have at most {} items, got {}", quoted(path), most, count)));
}

std::unexpected<Error> unknown_member(const StructReader& reader, const Path& parent, std::string_view name,
                                      dom::element element) {
  const MemberReader* meant = nearest(reader.members, name);
  const std::string advice =
      meant ? fmt::format("did you mean \"{}\"?", meant->name) : known_members(reader.members);
  return std::unexpected(params_error(Path(parent, name), "known member", json_type(element),
                                      fmt::format("unknown member \"{}\"; {}", shorten(name), advice)));
}

std::unexpected<Error> slices_disagree() { return fail(Errc::internal_error, "raw text and DOM disagree"); }

std::string length_text(const Bounds& bounds, std::string_view unit) {
  if (bounds.length_max == Bounds::kUnlimited)
    return bounds.length_min == 0 ? "" : fmt::format(" of at least {} {}", bounds.length_min, unit);
  if (bounds.length_min == bounds.length_max) return fmt::format(" of {} {}", bounds.length_min, unit);
  return fmt::format(" of {}..{} {}", bounds.length_min, bounds.length_max, unit);
}

// The 64-bit signed range is what "integer" means to most; spelling it out would hide the point.
std::string integer_text(const Bounds& bounds) {
  constexpr Bounds kWidest = detail::bounds_of_type<std::int64_t>();
  if (!bounds.ranged && bounds.low == kWidest.low && bounds.high == kWidest.high) return "integer";
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

std::string enum_text(std::span<const std::string_view> names) {
  std::string list;
  for (const std::string_view name : names) append_item(list, name);
  return "one of " + list;
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

std::string echo_text(std::string_view text) { return '"' + shorten(text) + '"'; }

}  // namespace detail
}  // namespace hubbub
