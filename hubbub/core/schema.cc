// The texts of JSON Schema and OpenRPC; which ones a type has is decided in schema.h.
#include "hubbub/core/schema.h"

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "hubbub/core/method_table.h"

namespace hubbub {
namespace {

constexpr std::size_t kCharacterBytesMax = 4;  // UTF-8, RFC 3629

void append_bound(std::string& out, std::string_view keyword, Wide value) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":{}", keyword, value);
}

void append_bound(std::string& out, std::string_view keyword, double value) {
  if (!std::isfinite(value)) return;
  fmt::format_to(std::back_inserter(out), ",\"{}\":", keyword);
  wire::append_json_double(out, value);
}

void append_lengths(std::string& out, std::string_view noun, std::size_t min, std::size_t max) {
  if (min > 0) append_bound(out, fmt::format("min{}", noun), Wide{min});
  if (max != Bounds::kUnlimited) append_bound(out, fmt::format("max{}", noun), Wide{max});
}

// {"name":…,"required":…,"schema":…}: OpenRPC's content descriptor.
void append_descriptor(std::string& out, std::string_view name, bool required, std::string_view schema) {
  out += R"({"name":)";
  append_json_text(out, name);
  out += required ? R"(,"required":true,"schema":)" : R"(,"required":false,"schema":)";
  out += schema;
  out += '}';
}

void append_method(std::string& out, const Method& method) {
  out += R"({"name":)";
  append_json_text(out, method.name);
  if (!method.summary.empty()) {
    out += R"(,"summary":)";
    append_json_text(out, method.summary);
  }
  const ParamsSchema params = method.params_schema();
  out += R"(,"paramStructure":"either","params":)";
  out += params.descriptors;
  if (params.any) out += R"(,"x-any-params":true)";
  out += R"(,"result":)";
  append_descriptor(out, "result", true, method.result_schema());
  if (method.privileged) out += R"(,"x-privileged":true)";
  out += '}';
}

}  // namespace

namespace detail {

void append_integer_schema(std::string& out, const Bounds& bounds) {
  // The ends of 64 bits are left out unless a rule names them: many readers of schemas count in doubles.
  const bool lowest = bounds.low == std::numeric_limits<std::int64_t>::min();
  const bool highest = bounds.high >= std::numeric_limits<std::int64_t>::max();
  out += R"({"type":"integer")";
  if (bounds.ranged || !lowest) append_bound(out, "minimum", bounds.low);
  if (bounds.ranged || !highest) append_bound(out, "maximum", bounds.high);
  out += '}';
}

void append_number_schema(std::string& out, const Bounds& bounds) {
  out += R"({"type":"number")";
  append_bound(out, "minimum", bounds.number_low);
  append_bound(out, "maximum", bounds.number_high);
  out += '}';
}

void append_string_schema(std::string& out, const Bounds& bounds) {
  out += R"({"type":"string")";
  append_lengths(out, "Length", (bounds.length_min + kCharacterBytesMax - 1) / kCharacterBytesMax,
                 bounds.length_max);
  out += '}';
}

void append_list_schema(std::string& out, std::string_view items, const Bounds& bounds) {
  fmt::format_to(std::back_inserter(out), R"({{"type":"array","items":{})", items);
  append_lengths(out, "Items", bounds.length_min, bounds.length_max);
  out += '}';
}

void append_map_schema(std::string& out, std::string_view items, const Bounds& bounds) {
  fmt::format_to(std::back_inserter(out), R"({{"type":"object","additionalProperties":{})", items);
  append_lengths(out, "Properties", bounds.length_min, bounds.length_max);
  out += '}';
}

void append_struct_schema(std::string& out, const std::vector<MemberSchema>& members) {
  std::vector<std::string_view> required;
  std::string properties;
  for (const MemberSchema& member : members) {
    if (!properties.empty()) properties += ',';
    append_json_text(properties, member.name);
    properties += ':' + member.schema;
    if (member.required) required.push_back(member.name);
  }
  fmt::format_to(std::back_inserter(out), R"({{"type":"object","properties":{{{}}},"required":)", properties);
  write_json(out, required);
  out += R"(,"additionalProperties":false})";
}

std::string params_descriptors(const std::vector<MemberSchema>& members) {
  std::string out = "[";
  for (const MemberSchema& member : members) {
    if (out.size() > 1) out += ',';
    append_descriptor(out, member.name, member.required, member.schema);
  }
  return out + ']';
}

}  // namespace detail

std::string openrpc_document(const MethodTable& table, std::string_view title, std::string_view version) {
  std::string out = R"({"openrpc":"1.3.2","info":{"title":)";
  append_json_text(out, title);
  out += R"(,"version":)";
  append_json_text(out, version);
  out += R"(},"methods":[)";
  bool first = true;
  for (const Method& method : table.methods()) {
    if (!std::exchange(first, false)) out += ',';
    append_method(out, method);
  }
  return out + "]}";
}

}  // namespace hubbub
