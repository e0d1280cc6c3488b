// Params: reads the params of a request into a C++ value, checking all that its type and its rules say. By
// name or by position (JSON-RPC 2.0 section 4.2). The first thing wrong is reported and ends the reading.
//
// Every error is Errc::invalid_params with
//   - field: path of the member, "since.offset", "items[3].x"; "params" for the params as a whole
//   - constraint: what would have been right, "integer in 1..100", "string of 1..255 bytes", "number",
//     "one of a, b", "required", "known member", "given once"
//   - got: JSON type of what was found, one of string, number, boolean, object, array, null, absent
//   - detail: a sentence for people, `"scale" must be an integer in 1..100, got 101`
// Names and values taken from the message are cut to kEchoBytesMax before they go into an error.
//
// What counts as which type:
//   - integer: a JSON number without fraction, range-checked. Up to 2^53 1.0 and 1e2 are integers too;
//     beyond, a fraction or exponent is refused: the double it reads as may not be what was written
//   - double: any number in its range; wire::kNumberTooLarge and its negative are refused as too large
//   - optional: absent and null are nullopt
//   - string_view, RawJson: point into the message or the parser's memory, so valid during the call
//   - struct: an object; as the params themselves also an array, in the order of the members. Members are
//     required unless optional or has_default; unknown members and members given twice are errors
// Recursion is bounded by the types, which cannot contain themselves. Any thread; nothing is kept.
#pragma once

#include <array>
#include <span>

#include "hubbub/core/bounds.h"
#include "hubbub/wire/jsonrpc.h"

namespace hubbub {

namespace dom = simdjson::dom;

// Where in the params a value stands: a chain of nodes on the stack, put together as text only for an error.
class Path {
 public:
  Path() = default;  // the params themselves
  Path(const Path& parent, std::string_view name) : parent_(&parent), name_(name) {}
  Path(const Path& parent, std::size_t index) : parent_(&parent), index_(index), is_index_(true) {}
  // "since.offset", "items[3].x"; "params" at the root.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_root() const { return parent_ == nullptr; }

 private:
  void append_to(std::string& out) const;

  const Path* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

// Bytes of a name or value out of a message that an error repeats at most.
inline constexpr std::size_t kEchoBytesMax = 64;

// Reads request.params. `out` must be freshly default-constructed: members that may be left out keep what
// they hold. After an error its contents mean nothing.
template <class T>
[[nodiscard]] Result<void> read_params(const wire::RpcRequest& request, T& out);

// Reads one value. `raw` is its text; it may be empty for types without RawJson and JsonText in them.
template <class T>
[[nodiscard]] Result<void> read_value(dom::element element, std::string_view raw, T& out, const Path& path,
                                      const Bounds& bounds = detail::bounds_of_type<T>());

namespace detail {

// How one member of a struct is read, without its type.
struct MemberReader {
  std::string_view name;
  bool required;
  Result<void> (*read)(dom::element element, std::string_view raw, void* object, const Path& path);
};

// A described struct, without its type: the loops over members are written once, in params.cc.
struct StructReader {
  std::span<const MemberReader> members;
  bool needs_raw;
};

// How many members a struct may have: what fits the set of those seen.
inline constexpr std::size_t kMembersMax = 64;

Result<void> read_struct(const StructReader& reader, dom::element element, std::string_view raw, void* object,
                         const Path& path);
Result<void> read_params_struct(const StructReader& reader, const wire::RpcRequest& request, void* object);

Result<bool> read_bool(dom::element element, const Path& path);
Result<Wide> read_integer(dom::element element, const Path& path, const Bounds& bounds);
Result<double> read_double(dom::element element, const Path& path, const Bounds& bounds);
Result<std::string_view> read_string(dom::element element, const Path& path, const Bounds& bounds);
Result<std::string_view> read_raw(dom::element element, std::string_view raw, const Path& path,
                                  const Bounds& bounds);
// The index of the name found.
Result<std::size_t> read_enum(dom::element element, const Path& path,
                              std::span<const std::string_view> names);
Result<dom::array> open_list(dom::element element, const Path& path, const Bounds& bounds);
Result<dom::object> open_map(dom::element element, const Path& path, const Bounds& bounds);

[[nodiscard]] std::unexpected<Error> given_twice(const Path& path, dom::element element);

// The DOM and the text do not agree; cannot happen to text the parser validated.
[[nodiscard]] std::unexpected<Error> slices_disagree();

template <class T, class D>
Result<void> read_member(dom::element element, std::string_view raw, void* object, const Path& path) {
  static constexpr Bounds kBounds = bounds_of_member<T, D>();
  return read_value(element, raw, static_cast<T*>(object)->*D::pointer, path, kBounds);
}

template <class T, template <class...> class List, class... D>
consteval auto member_readers(List<D...>) {
  return std::array<MemberReader, sizeof...(D)>{MemberReader{
      D::name, !JsonOptional<MemberType<D>> && !bounds_of_member<T, D>().has_default, &read_member<T, D>}...};
}

template <class T>
inline constexpr auto kMemberReaders = member_readers<T>(Members<T>{});

template <class T>
StructReader struct_reader() {
  static_assert(std::tuple_size_v<decltype(kMemberReaders<T>)> <= kMembersMax,
                "too many members for one params struct");
  static_assert(rules_name_members<T>(Members<T>{}),
                "a rule names a member that BOOST_DESCRIBE_STRUCT does not list");
  return {kMemberReaders<T>, needs_raw<T>()};
}

template <template <class...> class List, class... D>
consteval auto enum_names(List<D...>) {
  return std::array<std::string_view, sizeof...(D)>{D::name...};
}
template <template <class...> class List, class... D>
consteval auto enum_values(List<D...>) {
  return std::array{D::value...};
}
template <JsonEnum T>
inline constexpr auto kEnumNames = enum_names(boost::describe::describe_enumerators<T>{});
template <JsonEnum T>
inline constexpr auto kEnumValues = enum_values(boost::describe::describe_enumerators<T>{});

template <class T>
Result<void> read_list(dom::element element, std::string_view raw, T& out, const Path& path,
                       const Bounds& bounds) {
  using Item = typename ListItem<T>::type;
  auto list = open_list(element, path, bounds);
  if (!list) return std::unexpected(std::move(list).error());
  wire::JsonSlices slices(needs_raw<Item>() ? raw : std::string_view{});
  out.clear();
  for (dom::element item : *list) {
    if (needs_raw<Item>() && !slices.next()) return slices_disagree();
    Item value{};
    if (auto read = read_value(item, slices.value(), value, Path(path, out.size())); !read) return read;
    out.push_back(std::move(value));
  }
  return {};
}

template <class T>
Result<void> read_map(dom::element element, std::string_view raw, T& out, const Path& path,
                      const Bounds& bounds) {
  using Item = typename MapItem<T>::type;
  auto map = open_map(element, path, bounds);
  if (!map) return std::unexpected(std::move(map).error());
  wire::JsonSlices slices(needs_raw<Item>() ? raw : std::string_view{});
  out.clear();
  for (auto [key, item] : *map) {
    if (needs_raw<Item>() && !slices.next()) return slices_disagree();
    const Path here(path, key);
    auto [place, added] = out.try_emplace(std::string(key));
    if (!added) return given_twice(here, item);
    if (auto read = read_value(item, slices.value(), place->second, here); !read) return read;
  }
  return {};
}

// Hands on the value of a reader that returns it, or its error.
template <class T, class Value>
Result<void> take(Result<Value> value, T& out) {
  if (!value) return std::unexpected(std::move(value).error());
  if constexpr (JsonString<T>)
    out = *value;
  else
    out = static_cast<T>(*value);
  return {};
}

template <class T>
Result<void> read_scalar(dom::element element, std::string_view raw, T& out, const Path& path,
                         const Bounds& bounds) {
  if constexpr (std::same_as<T, bool>)
    return take(read_bool(element, path), out);
  else if constexpr (std::same_as<T, double>)
    return take(read_double(element, path, bounds), out);
  else if constexpr (JsonInteger<T>)
    return take(read_integer(element, path, bounds), out);
  else if constexpr (JsonString<T>)
    return take(read_string(element, path, bounds), out);
  else if constexpr (JsonVerbatim<T>)
    return take(read_raw(element, raw, path, bounds), out.text);
  else {
    static_assert(JsonEnum<T>);
    auto index = read_enum(element, path, kEnumNames<T>);
    if (!index) return std::unexpected(std::move(index).error());
    out = kEnumValues<T>[*index];
    return {};
  }
}

template <class T>
Result<void> read_optional(dom::element element, std::string_view raw, T& out, const Path& path,
                           const Bounds& bounds) {
  out.reset();
  if (element.is_null()) return {};
  return read_value(element, raw, out.emplace(), path, bounds);
}

}  // namespace detail

template <class T>
Result<void> read_value(dom::element element, std::string_view raw, T& out, const Path& path,
                        const Bounds& bounds) {
  static_assert(JsonValue<T>,
                "hubbub: this type has no JSON form; the types that have one stand in core/json_types.h");
  if constexpr (JsonOptional<T>)
    return detail::read_optional(element, raw, out, path, bounds);
  else if constexpr (JsonList<T>)
    return detail::read_list(element, raw, out, path, bounds);
  else if constexpr (JsonMap<T>)
    return detail::read_map(element, raw, out, path, bounds);
  else if constexpr (JsonStruct<T>)
    return detail::read_struct(detail::struct_reader<T>(), element, raw, &out, path);
  else
    return detail::read_scalar(element, raw, out, path, bounds);
}

template <class T>
Result<void> read_params(const wire::RpcRequest& request, T& out) {
  static_assert(
      MethodParams<T>,
      "hubbub: Params must be a struct described with BOOST_DESCRIBE_STRUCT whose members have a JSON form "
      "(core/json_types.h), or hubbub::RawJson, or hubbub::NoParams");
  if constexpr (JsonVerbatim<T>) {
    out.text = request.params;
    return {};
  } else {
    return detail::read_params_struct(detail::struct_reader<T>(), request, &out);
  }
}

}  // namespace hubbub
