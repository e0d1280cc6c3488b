// What a model client asks the hub for.
#include <string>

#include "tests/sim/model_client.h"

namespace hubbub::sim {
namespace {

constexpr std::size_t kUnacknowledgedMax = 80;

std::string number(std::uint64_t value) { return std::to_string(value); }
std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

}  // namespace

void ModelClient::post(std::string text) {
  const std::string& kept = session_->post(std::move(text));
  note("says " + kept);
  if (!peer_ || phase_ != Phase::open || leaving_) return;  // resuming sends it
  peer_->text(kept);
  said_something_ = true;
}

void ModelClient::act() {
  if (!chance(town_.swarm.act) || now() < quiet_until_) return;
  if (session_->unacknowledged().size() >= kUnacknowledgedMax || session_->close_requested) return;
  if (chance(town_.swarm.end_session)) {
    note("closes its session");
    session_->close_requested = true;
    return post(session_->request({.method = Method::close}, "session.close", "{}"));
  }
  if (rng_.below(8) > 0) return post(item(false));
  std::string batch = "[";
  for (std::uint64_t n = 1 + rng_.below(5); n > 0; --n) {
    if (batch.size() > 1) batch += ',';
    batch += item(true);
  }
  post(batch + ']');
}

std::string ModelClient::any_topic() { return "t" + number(rng_.below(town_.swarm.topics)); }

std::string ModelClient::item(bool batched) {
  const std::uint64_t roll = rng_.below(100);
  if (roll < 30) return call_item();
  if (roll < 70) return topic_item(batched);
  if (roll < 94) return other_item(batched);
  return batched ? call_item() : odd_item();
}

std::string ModelClient::call_item() {
  const std::uint64_t seq = session_->next_seq();
  const std::string params = R"({"session":)" + number(session_->serial()) + R"(,"seq":)" + number(seq) + '}';
  switch (rng_.below(4)) {
    case 0:
      return session_->request({.method = Method::slow, .seq = seq}, "slow.add", params);
    case 1:
      return session_->notification("counter.add", params);
    default:
      return session_->request({.method = Method::add, .seq = seq}, "counter.add", params);
  }
}

std::string ModelClient::topic_item(bool batched) {
  const std::string topic = any_topic();
  const std::uint64_t roll = rng_.below(10);
  const std::string name = R"({"topic":)" + in_quotes(topic);
  if (roll < 6) {
    std::string data = R"({"p":)" + number(session_->serial()) + R"(,"n":)" + number(++publications_);
    if (rng_.below(8) == 0)
      data += R"(,"fill":")" + std::string(static_cast<std::size_t>(rng_.below(600)), 'x') + '"';
    data += '}';
    const std::string params = name + R"(,"data":)" + data + '}';
    return session_->request(
        {.method = Method::publish, .topic = topic, .data = data, .wish = {.batched = batched}},
        "topic.publish", params);
  }
  if (!session_->topic(topic).may_ask(batched))
    return session_->request({.method = Method::plain}, "ping", "{}");
  if (roll < 9 || batched) return subscribe_item(topic, batched);
  return session_->request({.method = Method::unsubscribe, .topic = topic}, "topic.unsubscribe", name + '}');
}

std::string ModelClient::subscribe_item(const std::string& topic, bool batched) {
  TopicView& view = session_->topic(topic);
  Issued issued{.method = Method::subscribe, .topic = topic};
  issued.wish.batched = batched;
  std::string params = R"({"topic":)" + in_quotes(topic);
  const std::uint64_t roll = rng_.below(4);
  if (roll == 0 && view.position().offset > 0 && view.sure()) {
    TopicPosition since = view.position();
    since.offset -= rng_.below(std::min<std::uint64_t>(since.offset, 10));
    if (rng_.below(20) == 0) since.epoch = "AAAAAAAAAAA";
    params += R"(,"since":{"epoch":)" + in_quotes(since.epoch) + R"(,"offset":)" + number(since.offset) + '}';
    issued.wish.since = since;
  } else if (const Ledger::Seen seen = town_.ledger.last_seen(topic);
             roll == 2 && seen.offset > 0 && view.sure() && view.quiet()) {
    // As far as somebody else has come, who may be ahead of this session's shard.
    issued.wish.since = {seen.epoch, seen.offset};
    params += R"(,"since":{"epoch":)" + in_quotes(seen.epoch) + R"(,"offset":)" + number(seen.offset) + '}';
  } else if (roll == 1) {
    issued.wish.last = 1 + rng_.below(20);
    params += R"(,"last":)" + number(issued.wish.last);
  }
  issued.wish.presence = rng_.below(4) == 0;
  if (issued.wish.presence) params += R"(,"presence":true)";
  return session_->request(std::move(issued), "topic.subscribe", params + '}');
}

std::string ModelClient::other_item(bool batched) {
  const std::uint64_t roll = rng_.below(20);
  if (roll < 14 && !town_.sessions.empty()) {
    const Serial to = town_.sessions[rng_.below(town_.sessions.size())];
    const std::uint64_t n = town_.ledger.new_send(session_->serial(), to);
    const std::string data = R"({"s":)" + number(session_->serial()) + R"(,"n":)" + number(n) + '}';
    return session_->request({.method = Method::send, .seq = n}, "session.send",
                             R"({"to":)" + in_quotes(town_.ledger.code_of(to)) + R"(,"data":)" + data + '}');
  }
  if (roll < 16)
    return session_->request(
        {.method = Method::broadcast}, "hub.broadcast",
        R"({"data":{"s":)" + number(session_->serial()) + R"(,"n":)" + number(++broadcasts_) + "}}");
  if (roll < 17) {
    const std::string topic = any_topic();
    Issued issued{.method = Method::presence, .topic = topic};
    // The answer of a batch may be older than notices that came before it.
    issued.wish.presence = !batched && session_->watches(topic);
    return session_->request(std::move(issued), "topic.presence", R"({"topic":)" + in_quotes(topic) + '}');
  }
  if (roll < 18) return session_->request({.method = Method::plain}, "session.info", "{}");
  const std::string topic = any_topic();
  const TopicView& view = session_->topic(topic);
  Issued issued{.method = Method::history, .topic = topic};
  std::string params = R"({"topic":)" + in_quotes(topic) + R"(,"limit":)" + number(1 + rng_.below(30));
  if (view.position().offset > 0 && view.sure() && rng_.below(2) == 0) {
    issued.wish.since = view.position();
    params += R"(,"since":{"epoch":)" + in_quotes(view.position().epoch) + R"(,"offset":)" +
              number(view.position().offset) + '}';
  }
  return session_->request(std::move(issued), "topic.history", params + '}');
}

// What is counted although it looks as if it were not, and what is not even JSON.
std::string ModelClient::odd_item() {
  switch (rng_.below(5)) {
    case 0:
      session_->post_garbage();
      return "{\"jsonrpc\":";
    case 1:
      return session_->request({.method = Method::plain}, "session.ack",
                               R"({"received":)" + number(session_->received()) + '}');
    case 2:
      return session_->request({.method = Method::late_open}, "session.open", "{}");
    case 3:
      if (!said_something_ || plain_) return session_->request({.method = Method::plain}, "ping", "{}");
      return session_->request({.method = Method::late_open}, "session.resume",
                               R"({"code":"a-b-1","token":"x","epoch":"y","received":0})");
    default:
      return session_->request({.method = Method::plain}, "$/cancelRequest",
                               R"({"id":)" + number(session_->cancellable()) + '}');
  }
}

void ModelClient::probe() {
  if (!session_ || phase_ != Phase::open) return;
  for (unsigned i = 0; i < town_.swarm.topics; ++i) {
    const std::string topic = "t" + number(i);
    const TopicView& view = session_->topic(topic);
    if (!view.active() || !view.sure()) continue;
    Issued issued{.method = Method::subscribe, .topic = topic};
    issued.wish.presence = session_->watches(topic);
    std::string params = R"({"topic":)" + in_quotes(topic);
    if (issued.wish.presence) params += R"(,"presence":true)";
    post(session_->request(std::move(issued), "topic.subscribe", params + '}'));
    if (!session_->members.contains(topic)) continue;
    Issued presence{.method = Method::presence, .topic = topic, .compare = true};
    post(session_->request(std::move(presence), "topic.presence", R"({"topic":)" + in_quotes(topic) + '}'));
  }
}

}  // namespace hubbub::sim
