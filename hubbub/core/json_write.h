// write_json: a C++ value as JSON text, the way back of params.h. Members that are std::nullopt are left out;
// enums go by name; RawJson and JsonText stand as they are. Allocates only what `out` needs to grow. Any
// thread; throws nothing but what growing a string throws.
#pragma once

#include <utility>

#include "hubbub/core/json_types.h"
#include "hubbub/wire/json.h"

namespace hubbub {

// Appends `value`. Doubles as wire::append_json_double writes them (NaN and infinities are null);
// std::nullopt in a list, in a map or alone is null; empty raw text is null. Text that is not UTF-8 is
// mended, see append_json_text.
template <class T>
void write_json(std::string& out, const T& value);

// `text` with each byte that is not UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string mended_utf8(std::string_view text);

// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD each: a handler's bad string must
// not become a message its reader has to close the connection for (RFC 6455 section 8.1).
void append_json_text(std::string& out, std::string_view text);

// Raw JSON as it is; "" becomes null.
void append_json_verbatim(std::string& out, std::string_view text);

namespace detail {

template <JsonList T>
void write_list(std::string& out, const T& list) {
  out += '[';
  bool first = true;
  for (auto&& item : list) {
    if (!std::exchange(first, false)) out += ',';
    write_json<typename ListItem<T>::type>(out, item);
  }
  out += ']';
}

template <JsonMap T>
void write_map(std::string& out, const T& map) {
  out += '{';
  bool first = true;
  for (const auto& [key, item] : map) {
    if (!std::exchange(first, false)) out += ',';
    append_json_text(out, key);
    out += ':';
    write_json(out, item);
  }
  out += '}';
}

template <class Member>
void write_member(std::string& out, std::string_view name, const Member& member, bool& first) {
  if constexpr (JsonOptional<Member>)
    if (!member) return;
  if (!std::exchange(first, false)) out += ',';
  out += '"';
  out += name;  // a C++ identifier: nothing to escape
  out += "\":";
  write_json(out, member);
}

template <class T, template <class...> class List, class... D>
void write_struct(std::string& out, [[maybe_unused]] const T& value, List<D...>) {
  out += '{';
  [[maybe_unused]] bool first = true;
  (write_member(out, D::name, value.*D::pointer, first), ...);
  out += '}';
}

template <JsonEnum T, template <class...> class List, class... D>
void write_enum(std::string& out, T value, List<D...>) {
  std::string_view name;
  ((value == D::value ? void(name = D::name) : void()), ...);
  if (name.empty()) return void(out += "null");  // a value that was never described
  out += '"';
  out += name;
  out += '"';
}

template <class T>
void write_scalar(std::string& out, const T& value) {
  if constexpr (std::same_as<T, bool>)
    out += value ? "true" : "false";
  else if constexpr (std::same_as<T, double>)
    wire::append_json_double(out, value);
  else if constexpr (JsonInteger<T> && std::is_signed_v<T>)
    wire::append_json_int(out, value);
  else if constexpr (JsonInteger<T>)
    wire::append_json_uint(out, value);
  else if constexpr (JsonString<T>)
    append_json_text(out, value);
  else if constexpr (JsonVerbatim<T>)
    append_json_verbatim(out, value.text);
  else
    write_enum(out, value, boost::describe::describe_enumerators<T>{});
}

}  // namespace detail

template <class T>
void write_json(std::string& out, const T& value) {
  static_assert(JsonValue<T>,
                "hubbub: this type has no JSON form; the types that have one stand in core/json_types.h");
  if constexpr (JsonOptional<T>)
    value ? write_json(out, *value) : append_json_verbatim(out, {});
  else if constexpr (JsonList<T>)
    detail::write_list(out, value);
  else if constexpr (JsonMap<T>)
    detail::write_map(out, value);
  else if constexpr (JsonStruct<T>)
    detail::write_struct(out, value, detail::Members<T>{});
  else
    detail::write_scalar(out, value);
}

}  // namespace hubbub
