#include "hubbub/core/topic.h"

#include <algorithm>
#include <utility>

#include "hubbub/core/presence.h"
#include "hubbub/core/topic_mirrors.h"
#include "hubbub/core/topics.h"

namespace hubbub {

Topic::Topic(Topics& topics, TopicRole role, std::string name)
    : topics_(topics),
      role_(role),
      name_(std::move(name)),
      timer_(
          [](void* self, Millis) {
            auto* topic = static_cast<Topic*>(self);
            topic->topics_.on_timer(*topic);  // may destroy *topic
          },
          this) {}

Topic::~Topic() = default;

bool topic_name_valid(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255 || name.front() == '$') return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace hubbub
