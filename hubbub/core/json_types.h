// The types a typed method may take and give: raw JSON, the empty params, and the concepts that say which C++
// types have a JSON form. params.h reads these types, json_write.h writes them, schema.h describes them; all
// three follow the same list, which stands here:
//   - bool, integers of 8 to 64 bits, double, std::string, std::string_view, RawJson, JsonText
//   - std::optional<T>, std::vector<T>, std::map<std::string, T>
//   - enums described with BOOST_DESCRIBE_ENUM, as strings
//   - structs described with BOOST_DESCRIBE_STRUCT, not containing themselves
#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>

namespace hubbub {

// Any JSON value, byte for byte as it was sent. As params or as a member read from params it points into the
// message and is valid during the call; "" means absent. As a result it must outlive the handler: use
// JsonText for text made there.
struct RawJson {
  std::string_view text;
};

// Any JSON value as owned text, for results made by hand and for params kept after the call. The text must be
// valid JSON: it goes out unchecked. "" is written as null.
struct JsonText {
  std::string text;
};

// Params of a method that takes none: `{}`, `[]` or no params at all.
struct NoParams {};
BOOST_DESCRIBE_STRUCT(NoParams, (), ())

namespace detail {

template <class T>
struct OptionalItem {};
template <class T>
struct OptionalItem<std::optional<T>> {
  using type = T;
};
template <class T>
struct ListItem {};
template <class T, class A>
struct ListItem<std::vector<T, A>> {
  using type = T;
};
template <class T>
struct MapItem {};
template <class T, class C, class A>
struct MapItem<std::map<std::string, T, C, A>> {
  using type = T;
};

template <class T, class... Others>
concept OneOf = (std::same_as<T, Others> || ...);

}  // namespace detail

template <class T>
concept JsonInteger = std::integral<T> && !detail::OneOf<T, bool, char, wchar_t, char8_t, char16_t, char32_t>;
template <class T>
concept JsonString = detail::OneOf<T, std::string, std::string_view>;
template <class T>
concept JsonVerbatim = detail::OneOf<T, RawJson, JsonText>;
template <class T>
concept JsonOptional = requires { typename detail::OptionalItem<T>::type; };
template <class T>
concept JsonList = requires { typename detail::ListItem<T>::type; };
template <class T>
concept JsonMap = requires { typename detail::MapItem<T>::type; };
template <class T>
concept JsonEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept JsonStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

namespace detail {

template <class T>
concept OptionalTwice = JsonOptional<typename OptionalItem<T>::type>;

template <class T>
struct Item : OptionalItem<T>, ListItem<T>, MapItem<T> {};

// Members of a described struct, its bases' first, each a descriptor with `name` and `pointer`.
template <class T>
using Members =
    boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

template <class C, class M>
M member_type(M C::*);
template <class D>
using MemberType = decltype(member_type(D::pointer));

template <class T, class... Outer>
consteval bool has_json_form();

template <class T, class... Outer, template <class...> class List, class... D>
consteval bool members_have_json_form(List<D...>) {
  return (has_json_form<MemberType<D>, T, Outer...>() && ...);
}

template <class T, class... Outer>
consteval bool has_json_form() {
  if constexpr (OptionalTwice<T>) {
    return false;  // null could mean two things
  } else if constexpr (JsonOptional<T> || JsonList<T> || JsonMap<T>) {
    return has_json_form<typename Item<T>::type, Outer...>();
  } else if constexpr (JsonStruct<T>) {
    if constexpr (OneOf<T, Outer...>)
      return false;  // its schema would have no end
    else
      return members_have_json_form<T, Outer...>(Members<T>{});
  } else {
    return OneOf<T, bool, double> || JsonInteger<T> || JsonString<T> || JsonVerbatim<T> || JsonEnum<T>;
  }
}

// Whether reading a T needs the raw text beside the DOM.
template <class T>
consteval bool needs_raw();

template <template <class...> class List, class... D>
consteval bool members_need_raw(List<D...>) {
  return (needs_raw<MemberType<D>>() || ...);
}

template <class T>
consteval bool needs_raw() {
  if constexpr (JsonOptional<T> || JsonList<T> || JsonMap<T>)
    return needs_raw<typename Item<T>::type>();
  else if constexpr (JsonStruct<T>)
    return members_need_raw(Members<T>{});
  else
    return JsonVerbatim<T>;
}

}  // namespace detail

// Types with a JSON form: members of params and results.
template <class T>
concept JsonValue = detail::has_json_form<T>();

// What `add<Params, …>` takes as Params: a described struct, NoParams, or raw JSON.
template <class T>
concept MethodParams = JsonVerbatim<T> || (JsonStruct<T> && JsonValue<T> && std::default_initializable<T>);

}  // namespace hubbub
