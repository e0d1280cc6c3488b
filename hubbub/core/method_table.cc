// Registration and its checks; what needs the types stands in method_table.h.
#include "hubbub/core/method_table.h"

#include <algorithm>

namespace hubbub {

bool method_name_valid(std::string_view name) noexcept {
  auto printable = [](char c) { return c > ' ' && c <= '~'; };
  return !name.empty() && name.size() <= MethodTable::kNameBytesMax &&
         std::all_of(name.begin(), name.end(), printable);
}

Registration MethodTable::insert(Method method) {
  HUBBUB_ASSERT(method_name_valid(method.name));
  HUBBUB_ASSERT(find(method.name) == nullptr);
  Method& kept = methods_.emplace_back(std::move(method));
  by_name_.emplace(kept.name, &kept);
  return Registration(kept);
}

std::vector<std::string_view> MethodTable::names() const {
  std::vector<std::string_view> names;
  names.reserve(methods_.size());
  for (const Method& method : methods_) names.push_back(method.name);
  return names;
}

}  // namespace hubbub
