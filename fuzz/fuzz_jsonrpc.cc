// JSON-RPC: any text as a message through the real dispatcher and the hub's own methods, on a fresh session
// that has already subscribed to a topic. Every frame that comes back is one JSON text; every item that wants
// an answer gets exactly one, under its own id; a batch is answered by one message; the hub's invariants
// hold; and what one message can make the hub keep is bounded. The input's lines are messages of one client,
// one after the other.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/core/core_fixture.h"

namespace {

using namespace hubbub;
using test::Client;
using test::Core;
using test::Padded;

constexpr std::size_t kMessageBytesMax = 64 * 1024;
constexpr std::size_t kMessagesMax = 16;

Limits small_limits() {
  Limits limits;
  limits.json_depth = 16;
  limits.batch_items = 8;
  limits.batch_response_bytes = 4096;
  limits.response_bytes = 2048;
  limits.rate_burst = 24;
  limits.topics_per_session = 4;
  limits.topics = 6;
  limits.history_messages = 16;
  limits.history_bytes = 4096;
  return limits;
}

using Ids = std::vector<std::string>;

// The raw ids of the replies that `text` must get. "null" also stands for what has no readable id.
Ids ids_due(std::string_view text, const Limits& limits) {
  wire::JsonParser parser(limits.json_depth);
  const Padded padded(text);
  const auto parsed = parser.parse(padded.view());
  if (!parsed) return {"null"};
  Ids ids;
  const auto add = [&ids](std::string_view raw, wire::dom::element element) {
    std::string_view id;
    const auto request = wire::read_request(raw, element, id);
    if (!request || !request->is_notification()) ids.emplace_back(id);
  };
  wire::dom::array items;
  if (parsed->get(items) != simdjson::SUCCESS) {
    add(padded.view(), *parsed);
    return ids;
  }
  if (items.size() == 0 || items.size() > limits.batch_items) return {"null"};
  wire::JsonSlices slices(padded.view());
  for (const auto element : items) {
    HUBBUB_ASSERT(slices.next());
    add(slices.value(), element);
  }
  return ids;
}

std::string_view raw_member(std::string_view object, std::string_view name) {
  for (wire::JsonSlices member(object); member.next();)
    if (member.key() == name) return member.value();
  return {};
}

// Checks one frame; appends the ids of the replies in it. A notification of the server has none.
void read_frame(std::string_view payload, Ids& ids) {
  wire::JsonParser parser(1024);
  const Padded padded(payload);
  const auto parsed = parser.parse(padded.view());
  HUBBUB_ASSERT(parsed.has_value());
  const auto add = [&ids](std::string_view reply) {
    HUBBUB_ASSERT(raw_member(reply, "jsonrpc") == "\"2.0\"");
    HUBBUB_ASSERT(raw_member(reply, "result").empty() != raw_member(reply, "error").empty());
    ids.emplace_back(raw_member(reply, "id"));
    HUBBUB_ASSERT(!ids.back().empty());
  };
  if (parsed->is_array()) {
    const std::size_t before = ids.size();
    for (wire::JsonSlices reply(payload); reply.next();) add(reply.value());
    HUBBUB_ASSERT(ids.size() > before);
  } else if (raw_member(payload, "method").empty()) {
    add(payload);
  }
}

bool is_reply(std::string_view payload) {
  return payload.starts_with('[') || raw_member(payload, "method").empty();
}

void exchange(Core& core, Client& client, std::string_view text) {
  Ids due = ids_due(text, core.limits);
  core.deliver(client, text);
  const Outbox& box = client.session->outbox();
  const Limits& limits = core.limits;
  // Replies, and the message itself, wrapped, once for each publication in it; of each topic its history and
  // a notice of who came and went.
  HUBBUB_ASSERT(box.unsent() <= limits.batch_items + 1 + limits.topics * (limits.history_messages + 1));
  HUBBUB_ASSERT(box.unsent_bytes() <= 2 * (limits.batch_response_bytes + limits.response_bytes) +
                                          text.size() + limits.batch_items * 1024 +
                                          limits.topics * (limits.history_bytes + 1024));
  core.hub.check_invariants();
  HUBBUB_ASSERT(core.dispatcher.calls_in_flight() == 0 && client.session->calls.empty());

  Ids answered;
  std::size_t replies = 0;
  for (const std::string& payload : client.link.take()) {
    read_frame(payload, answered);
    replies += is_reply(payload);
  }
  std::ranges::sort(due);
  std::ranges::sort(answered);
  HUBBUB_ASSERT(due == answered);
  HUBBUB_ASSERT(replies == (due.empty() ? 0 : 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), std::min(size, kMessageBytesMax));
  // The connection has checked this before a message comes here.
  if (!simdjson::validate_utf8(rest.data(), rest.size())) return 0;
  Core core(small_limits());
  Client& client = core.connect(R"({"name":"fuzz"})");
  HUBBUB_ASSERT(core.hub.subscribe(*client.session, "t").has_value());
  const auto goes_on = [&client] {
    return client.session->state() == SessionState::attached && client.link.closes.empty();
  };
  for (std::size_t i = 0; i < kMessagesMax && goes_on(); ++i) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    exchange(core, client, rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
    core.advance(50);
  }
  core.disconnect(client);
  core.advance(core.limits.grace_ms);
  core.advance(core.limits.topic_idle_ms);
  HUBBUB_ASSERT(core.hub.counts().detached == 0 && core.hub.counts().topics == 0 &&
                core.hub.counts().subscriptions == 0);
  core.hub.check_invariants();
  return 0;
}
