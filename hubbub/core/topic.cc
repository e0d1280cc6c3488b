#include "hubbub/core/topic.h"

#include <algorithm>
#include <utility>

#include "hubbub/core/hub.h"

namespace hubbub {

Topic::Topic(Hub& hub, std::string name, std::string epoch)
    : hub_(hub),
      name_(std::move(name)),
      epoch_(std::move(epoch)),
      idle_timer_(
          [](void* self, Millis) {
            auto* topic = static_cast<Topic*>(self);
            topic->hub_.forget_idle(*topic);  // destroys *topic
          },
          this) {}

bool topic_name_valid(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255 || name.front() == '$') return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace hubbub
