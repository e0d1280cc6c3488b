#include "hubbub/core/presence.h"

#include <algorithm>
#include <string>
#include <vector>

#include "hubbub/base/assert.h"
#include "hubbub/core/env.h"
#include "hubbub/core/notices.h"
#include "hubbub/wire/json.h"

namespace hubbub {
namespace {

std::string begin_params(std::string_view topic, std::size_t count) {
  std::string params = R"({"topic":)";
  wire::append_json_string(params, topic);
  params += R"(,"count":)";
  wire::append_json_uint(params, count);
  return params;
}

}  // namespace

void Presence::change(SessionCode code, bool joined) {
  const auto [found, fresh] = pending_.try_emplace(code.key(), Change{.code = code, .was = !joined});
  Change& change = found->second;
  // Another shard's report of what happened before anybody watched: known.
  if (!fresh && change.joined == joined) return;
  if (!fresh && change.joined != change.was && change.order < asked_order_) change.shown = true;
  change.joined = joined;
  change.order = next_order_++;
  if (change.joined == change.was && !change.shown) pending_.erase(found);
  if (!pending_.empty()) arm();
}

void Presence::untold() {
  untold_ = true;
  arm();
}

void Presence::arm() {
  if (!timer_.armed()) env_.timers.arm(timer_, env_.now() + env_.limits.presence_interval_ms);
}

bool Presence::append_list(std::string& out, bool joined) const {
  std::vector<const Change*> changes;
  for (const auto& [key, change] : pending_)
    if (change.joined == joined) changes.push_back(&change);
  const std::size_t listed = std::min(changes.size(), env_.limits.presence_list);
  std::ranges::partial_sort(changes, changes.begin() + static_cast<std::ptrdiff_t>(listed), {},
                            [](const Change* change) { return change->order; });
  for (std::size_t i = 0; i < listed; ++i) {
    if (i == 0) out += joined ? R"(,"joined":[)" : R"(,"left":[)";
    if (i > 0) out += ',';
    wire::append_json_string(out, changes[i]->code.text());
  }
  if (listed > 0) out += ']';
  return listed == changes.size();
}

FrameRef Presence::take(std::string_view topic, std::size_t count) {
  if (pending_.empty() && !untold_) return {};
  std::string params = begin_params(topic, count);
  const bool all_joined = append_list(params, true);
  const bool all_left = append_list(params, false);
  if (!all_joined || !all_left || untold_) params += R"(,"more":true)";
  params += '}';
  pending_ = {};
  untold_ = false;
  timer_.cancel();
  return notification("topic.presence", params);
}

FrameRef Presence::unlisted(std::string_view topic, std::size_t count) {
  return notification("topic.presence", begin_params(topic, count) + R"(,"more":true})");
}

void Presence::check_invariants() const {
  HUBBUB_ASSERT((pending_.empty() && !untold_) || timer_.armed());
  for (const auto& [key, change] : pending_)
    HUBBUB_ASSERT(key == change.code.key() && change.order < next_order_ &&
                  (change.joined != change.was || change.shown));
}

}  // namespace hubbub
