// The methods about topics (docs/protocol.md, "Topics"): topic.subscribe, topic.unsubscribe, topic.publish,
// topic.history and topic.presence.
#pragma once

#include "hubbub/core/method_table.h"

namespace hubbub {

void add_topic_methods(MethodTable& table);

}  // namespace hubbub
