// Rules: what the members of a params struct must satisfy beyond their type, as constants tied to member
// pointers. A struct states them in `static constexpr auto rules()`; reading and JSON Schema follow them:
//
//   struct PageParams {
//     std::string topic;
//     int limit = 50;
//     static constexpr auto rules() {
//       using P = PageParams;
//       return hubbub::rules(hubbub::length(&P::topic, 1, 255), hubbub::in_range(&P::limit, 1, 1000),
//                            hubbub::has_default(&P::limit));
//     }
//   };
//   BOOST_DESCRIBE_STRUCT(PageParams, (), (topic, limit))
//
// A rule that cannot hold (low above high, a bound its type cannot reach, a member that is not described)
// does not compile. bounds.h puts rules and types together.
#pragma once

#include <cstddef>
#include <limits>
#include <tuple>

#include "hubbub/base/assert.h"
#include "hubbub/core/json_types.h"

namespace hubbub {

// Holds every value of every integer type a member may have.
using Wide = __int128;

// One rule about the member of type M of class C. Made by the functions below.
template <class C, class M>
struct Rule {
  enum class Kind { range, number_range, length, has_default };
  Kind kind;
  M C::* member;
  Wide low = 0;
  Wide high = 0;
  double number_low = 0;
  double number_high = 0;
};

namespace detail {

// The T of std::optional<T>, else the type itself: rules speak of the value that is there.
template <class T>
struct Present {
  using type = T;
};
template <JsonOptional T>
struct Present<T> : OptionalItem<T> {};

template <class T>
inline constexpr bool kHasLength = JsonString<T> || JsonVerbatim<T> || JsonList<T> || JsonMap<T>;

}  // namespace detail

// An integer in low..high, both included.
template <class C, class M>
  requires JsonInteger<typename detail::Present<M>::type>
constexpr auto in_range(M C::* member, Wide low, Wide high) {
  using Type = std::numeric_limits<typename detail::Present<M>::type>;
  HUBBUB_ASSERT(low <= high && low >= Type::lowest() && high <= Type::max());
  return Rule<C, M>{.kind = Rule<C, M>::Kind::range, .member = member, .low = low, .high = high};
}

// A number in low..high, both included.
template <class C, class M>
  requires std::same_as<typename detail::Present<M>::type, double>
constexpr auto in_range(M C::* member, double low, double high) {
  HUBBUB_ASSERT(low <= high);
  return Rule<C, M>{
      .kind = Rule<C, M>::Kind::number_range, .member = member, .number_low = low, .number_high = high};
}

// min..max bytes of a string or of raw JSON, items of a list or map; both included.
template <class C, class M>
  requires detail::kHasLength<typename detail::Present<M>::type>
constexpr auto length(M C::* member, std::size_t min, std::size_t max) {
  HUBBUB_ASSERT(min <= max);
  return Rule<C, M>{.kind = Rule<C, M>::Kind::length, .member = member, .low = Wide{min}, .high = Wide{max}};
}

// The member may be left out; it then keeps what its initializer says.
template <class C, class M>
constexpr auto has_default(M C::* member) {
  return Rule<C, M>{.kind = Rule<C, M>::Kind::has_default, .member = member};
}

// What a struct's rules() returns.
template <class... C, class... M>
constexpr auto rules(Rule<C, M>... rule) {
  return std::tuple<Rule<C, M>...>(rule...);
}

}  // namespace hubbub
