// What is said about wrong params: the errors of params.h and the texts in them. Only params.cc's readers and
// the templates of params.h need it. Built only when something is wrong, so nothing here minds allocating.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hubbub/core/params.h"

namespace hubbub::detail {

// `found` is what the sentence says was found: the JSON type, or the value where the type was right.
[[nodiscard]] std::unexpected<Error> mismatch(const Path& path, std::string constraint, dom::element element,
                                              std::string_view found);
[[nodiscard]] std::unexpected<Error> wrong_type(const Path& path, std::string constraint,
                                                dom::element element);
[[nodiscard]] std::unexpected<Error> missing(const Path& path);
[[nodiscard]] std::unexpected<Error> too_many_items(const Path& path, std::size_t most, std::size_t count);
// Names the known member that was probably meant, or all that are known.
[[nodiscard]] std::unexpected<Error> unknown_member(const StructReader& reader, const Path& parent,
                                                    std::string_view name, dom::element element);

// Constraints: " of 1..255 bytes" (nothing where there is no bound), "integer in 1..100", "number in 0..1",
// "one of a, b".
[[nodiscard]] std::string length_text(const Bounds& bounds, std::string_view unit);
[[nodiscard]] std::string integer_text(const Bounds& bounds);
[[nodiscard]] std::string double_text(const Bounds& bounds);
[[nodiscard]] std::string enum_text(std::span<const std::string_view> names);

// What was found: a number, and a string with quotes, cut to kEchoBytesMax.
[[nodiscard]] std::string number_text(double value);
[[nodiscard]] std::string found_number(dom::element element);
[[nodiscard]] std::string echo_text(std::string_view text);

}  // namespace hubbub::detail
