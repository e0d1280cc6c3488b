// Which types methods may take and give, and which rules fit which members: misuse does not compile.
#include "hubbub/core/json_types.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "hubbub/core/bounds.h"

namespace hubbub {
namespace {

enum class Color { red, green };
BOOST_DESCRIBE_ENUM(Color, red, green)
enum class Plain { one };

struct Described {
  std::uint8_t small = 0;
  double real = 0;
  bool flag = false;
  std::optional<std::string> note;
  std::map<std::string, Color> colors;
  RawJson raw;
};
BOOST_DESCRIBE_STRUCT(Described, (), (small, real, flag, note, colors, raw))

struct Undescribed {
  int a;
};
struct HoldsPointer {
  int* p;
};
BOOST_DESCRIBE_STRUCT(HoldsPointer, (), (p))
struct HoldsItself {
  std::vector<HoldsItself> children;
};
BOOST_DESCRIBE_STRUCT(HoldsItself, (), (children))
struct HasNoDefault {
  explicit HasNoDefault(int value) : a(value) {}
  int a;
};
BOOST_DESCRIBE_STRUCT(HasNoDefault, (), (a))

TEST(JsonTypes, params_are_described_structs_or_raw_json) {
  static_assert(MethodParams<Described> && MethodParams<RawJson> && MethodParams<JsonText> &&
                MethodParams<NoParams>);
  static_assert(!MethodParams<Undescribed> && !MethodParams<HoldsPointer> && !MethodParams<HasNoDefault>);
  static_assert(!MethodParams<int> && !MethodParams<std::vector<int>> && !MethodParams<std::string>);
}

TEST(JsonTypes, values_have_exactly_one_json_form) {
  static_assert(JsonValue<std::map<std::string, std::vector<Color>>> && JsonValue<std::optional<Described>>);
  static_assert(JsonValue<bool> && JsonValue<std::int8_t> && JsonValue<double> &&
                JsonValue<std::string_view>);
  static_assert(!JsonValue<char> && !JsonValue<float> && !JsonValue<const char*> && !JsonValue<void>);
  static_assert(!JsonValue<Plain> && !JsonValue<std::map<int, int>> && !JsonValue<std::vector<Undescribed>>);
  static_assert(!JsonValue<std::optional<std::optional<int>>>);  // null could mean two things
  static_assert(!JsonValue<HoldsItself>);                        // its schema would have no end
}

template <auto Member>
concept CanRange = requires { in_range(Member, 1, 2); };
template <auto Member>
concept CanLength = requires { length(Member, 1, 2); };

TEST(Rules, fit_only_members_they_can_be_checked_on) {
  static_assert(CanRange<&Described::small> && CanRange<&Described::real>);
  static_assert(!CanRange<&Described::flag> && !CanRange<&Described::note> && !CanRange<&Described::raw>);
  static_assert(CanLength<&Described::note> && CanLength<&Described::colors> && CanLength<&Described::raw>);
  static_assert(!CanLength<&Described::small> && !CanLength<&Described::flag>);
}

struct Stray {
  int known = 0;
  int hidden = 0;
  static constexpr auto rules() { return hubbub::rules(hubbub::has_default(&Stray::hidden)); }
};
BOOST_DESCRIBE_STRUCT(Stray, (), (known))

TEST(Rules, must_name_described_members) {
  static_assert(!detail::rules_name_members<Stray>(detail::Members<Stray>{}));
  static_assert(detail::rules_name_members<Described>(detail::Members<Described>{}));
}

template <auto Low, auto High>
concept RangeCompiles =
    requires { std::integral_constant<bool, (in_range(&Described::small, Low, High), true)>{}; };

TEST(Rules, that_cannot_hold_do_not_compile) {
  static_assert(RangeCompiles<0, 255>);
  static_assert(!RangeCompiles<2, 1> && !RangeCompiles<-1, 255> && !RangeCompiles<0, 256>);
}

}  // namespace
}  // namespace hubbub
