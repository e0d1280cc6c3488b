// Schemas: what typed registration knows, as JSON Schema (draft 7, the dialect of OpenRPC 1.3.2) and as the
// OpenRPC document `rpc.discover` answers with. Written from the same types and rules that params.h checks,
// so what is described is what is enforced, but for two things:
//   - rules count bytes, JSON Schema counts characters. The schema is then the wider of the two: n bytes are
//     at least n/4 and at most n characters
//   - optional members also take null, which schemas do not mention: leaving them out is the usual form
#pragma once

#include "hubbub/core/bounds.h"
#include "hubbub/core/json_write.h"

namespace hubbub {

class MethodTable;

// The JSON Schema object of T, e.g. {"type":"integer","minimum":1,"maximum":100}.
template <class T>
[[nodiscard]] std::string json_schema();

// The OpenRPC 1.3.2 document of all methods, in the order of their registration.
[[nodiscard]] std::string openrpc_document(const MethodTable& table, std::string_view title,
                                           std::string_view version);

// What OpenRPC says of a method's params: the descriptors of its members, or, where params are raw JSON, that
// any will do.
struct ParamsSchema {
  std::string descriptors = "[]";  // JSON array of {name, required, schema}
  bool any = false;
};

template <class P>
[[nodiscard]] ParamsSchema params_schema();

namespace detail {

void append_integer_schema(std::string& out, const Bounds& bounds);
void append_number_schema(std::string& out, const Bounds& bounds);
void append_string_schema(std::string& out, const Bounds& bounds);
// `items` is the schema of an item.
void append_list_schema(std::string& out, std::string_view items, const Bounds& bounds);
void append_map_schema(std::string& out, std::string_view items, const Bounds& bounds);

// One member of a struct, described.
struct MemberSchema {
  std::string_view name;
  bool required;
  std::string schema;
};

void append_struct_schema(std::string& out, const std::vector<MemberSchema>& members);
[[nodiscard]] std::string params_descriptors(const std::vector<MemberSchema>& members);

template <class T>
void append_schema(std::string& out, const Bounds& bounds);

// The schema's text ends in '}'; what a left-out member means goes in before it.
template <class T, class D>
void append_default(std::string& schema) {
  schema.pop_back();
  schema += schema.ends_with('{') ? "\"default\":" : ",\"default\":";
  const T initial{};
  write_json(schema, initial.*D::pointer);
  schema += '}';
}

template <class T, class D>
MemberSchema member_schema() {
  static constexpr Bounds kBounds = bounds_of_member<T, D>();
  MemberSchema member{D::name, !JsonOptional<MemberType<D>> && !kBounds.has_default, {}};
  append_schema<MemberType<D>>(member.schema, kBounds);
  if constexpr (kBounds.has_default && !JsonOptional<MemberType<D>>) append_default<T, D>(member.schema);
  return member;
}

template <class T, template <class...> class List, class... D>
std::vector<MemberSchema> member_schemas(List<D...>) {
  return {member_schema<T, D>()...};
}

template <JsonEnum T, template <class...> class List, class... D>
void append_enum_schema(std::string& out, List<D...>) {
  out += R"({"type":"string","enum":)";
  write_json(out, std::vector<std::string_view>{D::name...});
  out += '}';
}

template <class T>
void append_schema(std::string& out, const Bounds& bounds) {
  if constexpr (std::same_as<T, void>)
    out += R"({"type":"null"})";
  else if constexpr (JsonOptional<T>)
    append_schema<typename Item<T>::type>(out, bounds);
  else if constexpr (JsonList<T>)
    append_list_schema(out, json_schema<typename Item<T>::type>(), bounds);
  else if constexpr (JsonMap<T>)
    append_map_schema(out, json_schema<typename Item<T>::type>(), bounds);
  else if constexpr (JsonStruct<T>)
    append_struct_schema(out, member_schemas<T>(Members<T>{}));
  else if constexpr (JsonEnum<T>)
    append_enum_schema<T>(out, boost::describe::describe_enumerators<T>{});
  else if constexpr (std::same_as<T, bool>)
    out += R"({"type":"boolean"})";
  else if constexpr (std::same_as<T, double>)
    append_number_schema(out, bounds);
  else if constexpr (JsonInteger<T>)
    append_integer_schema(out, bounds);
  else if constexpr (JsonString<T>)
    append_string_schema(out, bounds);
  else
    out += "{}";  // raw JSON: anything
}

}  // namespace detail

template <class T>
std::string json_schema() {
  static_assert(std::same_as<T, void> || JsonValue<T>,
                "hubbub: this type has no JSON form; the types that have one stand in core/json_types.h");
  std::string out;
  if constexpr (std::same_as<T, void>)
    detail::append_schema<T>(out, Bounds{});
  else
    detail::append_schema<T>(out, detail::bounds_of_type<T>());
  return out;
}

template <class P>
ParamsSchema params_schema() {
  if constexpr (JsonVerbatim<P>)
    return {.any = true};
  else
    return {.descriptors = detail::params_descriptors(detail::member_schemas<P>(detail::Members<P>{}))};
}

}  // namespace hubbub
