// Bounds: what the type of a value and the rules of the struct it belongs to say of it, worked out at compile
// time. What params.h checks and schema.h describes are both these.
#pragma once

#include <cstddef>
#include <limits>
#include <tuple>

#include "hubbub/core/rules.h"

namespace hubbub {

// What rules and type together say of one value. Lengths count bytes of a string or of raw JSON, items of a
// list or map.
struct Bounds {
  Wide low = 0;
  Wide high = 0;
  double number_low = -std::numeric_limits<double>::infinity();
  double number_high = std::numeric_limits<double>::infinity();
  std::size_t length_min = 0;
  std::size_t length_max = kUnlimited;
  bool ranged = false;  // low..high come from a rule, not from the type
  bool has_default = false;

  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
};

namespace detail {

template <class T>
concept HasRules = requires { T::rules(); };

template <class D, class C, class M>
constexpr bool is_about(const Rule<C, M>& rule) {
  if constexpr (std::same_as<std::remove_cv_t<decltype(D::pointer)>, M C::*>)
    return rule.member == D::pointer;
  else
    return false;
}

template <class C, class M>
constexpr void apply_rule(Bounds& bounds, const Rule<C, M>& rule) {
  using Kind = typename Rule<C, M>::Kind;
  if (rule.kind == Kind::has_default) bounds.has_default = true;
  if (rule.kind == Kind::range) bounds.low = rule.low, bounds.high = rule.high, bounds.ranged = true;
  if (rule.kind == Kind::number_range)
    bounds.number_low = rule.number_low, bounds.number_high = rule.number_high;
  if (rule.kind != Kind::length) return;
  bounds.length_min = static_cast<std::size_t>(rule.low);
  bounds.length_max = static_cast<std::size_t>(rule.high);
}

// What the type alone says.
template <class T>
consteval Bounds bounds_of_type() {
  Bounds bounds;
  using Value = typename Present<T>::type;
  if constexpr (JsonInteger<Value>) {
    bounds.low = std::numeric_limits<Value>::lowest();
    bounds.high = std::numeric_limits<Value>::max();
  }
  return bounds;
}

// What is said of the member D of T.
template <class T, class D>
consteval Bounds bounds_of_member() {
  Bounds bounds = bounds_of_type<MemberType<D>>();
  if constexpr (HasRules<T>)
    std::apply([&](const auto&... rule) { ((is_about<D>(rule) ? apply_rule(bounds, rule) : void()), ...); },
               T::rules());
  return bounds;
}

// Whether each rule of T speaks of a described member.
template <class T, template <class...> class List, class... D>
consteval bool rules_name_members(List<D...>) {
  if constexpr (HasRules<T>) {
    auto described = [](const auto& rule) { return (is_about<D>(rule) || ...); };
    return std::apply([&](const auto&... rule) { return (described(rule) && ...); }, T::rules());
  } else {
    return true;
  }
}

}  // namespace detail
}  // namespace hubbub
