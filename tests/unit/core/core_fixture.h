// Core: the hub's world for tests, without sockets: a clock that moves when told, seeded randomness, a log
// that remembers, links that record what they are asked, and a poster whose tasks run when the test says.
// Free of GoogleTest, so that fuzz targets use it too. One thread, but for TestPoster::post.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "hubbub/base/assert.h"
#include "hubbub/base/rng.h"
#include "hubbub/core/builtin_methods.h"
#include "hubbub/core/channel.h"
#include "hubbub/core/dispatcher.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/notices.h"
#include "hubbub/wire/json.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::test {

// 2026-11-23T10:00:00.000Z
inline constexpr std::int64_t kWallMs = 1'795'428'000'000;
inline constexpr Millis kStartMs = 1'000'000;

class FakeClock final : public Clock {
 public:
  [[nodiscard]] Millis now_ms() const override { return now; }
  [[nodiscard]] std::int64_t wall_ms() const override { return kWallMs + (now - kStartMs); }
  Millis now = kStartMs;
};

// Every line at every level, as "event name=value name=value".
class RecordingLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::initializer_list<LogField> fields) override {
    std::string line(event);
    for (const LogField& field : fields) {
      line += ' ';
      line += field.name;
      line += '=';
      std::visit(
          [&line](const auto& value) {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string_view>)
              line += value;
            else
              line += std::to_string(value);
          },
          field.value);
    }
    lines.push_back(std::move(line));
  }
  [[nodiscard]] bool enabled(LogLevel) const override { return true; }
  [[nodiscard]] bool mentions(std::string_view text) const {
    return std::ranges::any_of(lines, [text](const std::string& line) { return line.contains(text); });
  }
  std::vector<std::string> lines;
};

// Tasks wait until run() is called on the thread that made the poster.
class TestPoster final : public Poster {
 public:
  bool post(std::move_only_function<void()> task) override {
    const std::scoped_lock lock(mutex_);
    if (!closed_) tasks_.push_back(std::move(task));
    return !closed_;
  }
  [[nodiscard]] bool on_thread() const override { return std::this_thread::get_id() == owner_; }
  // Runs what has been posted; how many tasks that were.
  std::size_t run() {
    std::vector<std::move_only_function<void()>> tasks;
    {
      const std::scoped_lock lock(mutex_);
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
    return tasks.size();
  }
  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> tasks_;
  bool closed_ = false;
};

// A connection as core sees it. What it is asked to do is recorded; nothing is written until a test calls
// write(), or flush_now() while flush_frames allows it.
class FakeLink final : public Link {
 public:
  struct Close {
    std::uint16_t code;
    std::string reason;
    CloseMode mode;
    std::string farewell;  // payload; "" if none
  };

  void wake() override { ++wakes; }
  bool flush_now() override {
    ++flushes;
    return write(flush_frames) > 0;
  }
  void send_uncounted(FrameRef frame) override { uncounted.emplace_back(frame->payload()); }
  void close(std::uint16_t code, std::string_view reason, CloseMode mode, FrameRef farewell) override {
    closes.push_back({code, std::string(reason), mode, std::string(farewell ? farewell->payload() : "")});
  }
  void release_outbox() override { ++releases; }
  void move_to(ShardId shard, EndpointMaker make_endpoint) override {
    moved_to = shard;
    made_there = std::move(make_endpoint);
  }
  void supersede() override {
    release_outbox();
    if (endpoint) endpoint->on_superseded();
    session = nullptr;
    const ErrorInfo& info = error_info(Errc::superseded);
    close(info.close_code, info.text, CloseMode::now, closing_notice(info.close_code, info.text, -1));
  }
  [[nodiscard]] Millis last_input_at() const override { return last_input; }
  [[nodiscard]] std::string remote() const override { return "192.0.2.7:5555"; }
  [[nodiscard]] std::uint64_t connection_id() const override { return id; }

  [[nodiscard]] Outbox* outbox() const {
    if (endpoint) return endpoint->outbox();
    return session ? &session->outbox() : nullptr;
  }
  // Writes up to `frames` messages of the outbox; how many there were.
  std::size_t write(std::size_t frames) {
    std::size_t done = 0;
    for (Outbox* box = outbox(); box && done < frames && box->writable(); ++done) {
      written.emplace_back(box->at(box->sent())->payload());
      if (endpoint)
        endpoint->on_sent(1);
      else
        session->on_sent(1);
    }
    return done;
  }
  // Writes all and gives what has been written since the last call.
  std::vector<std::string> take() {
    write(kAll);
    return std::exchange(written, {});
  }

  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);
  Endpoint* endpoint = nullptr;  // either this
  Session* session = nullptr;    // or this is what the link serves
  std::size_t flush_frames = 0;  // how many messages the socket takes in flush_now()
  std::uint64_t id = ++last_id;  // rises from link to link
  Millis last_input = 0;         // when the client's last byte came
  int releases = 0;
  int wakes = 0;
  int flushes = 0;
  std::vector<std::string> uncounted;
  std::vector<std::string> written;
  std::vector<Close> closes;
  std::optional<ShardId> moved_to;
  EndpointMaker made_there;

 private:
  static inline std::uint64_t last_id = 0;
};

// What a client must know to have its session back.
struct Ticket {
  std::string code;
  std::string token;
  std::string epoch;
};

// A client: a link with a session of its own.
struct Client {
  FakeLink link;
  Session* session = nullptr;
  std::string token;
  Outbox::Replay replay;  // if the session was resumed

  [[nodiscard]] std::string code() const { return session->code().text(); }
  [[nodiscard]] Ticket ticket() const { return {code(), token, session->identity().epoch}; }
};

// Text with the readable bytes behind it that Endpoint::on_text promises.
class Padded {
 public:
  explicit Padded(std::string_view text) : bytes_(text), size_(text.size()) {
    bytes_.append(wire::kReadPadding, '"');
  }
  [[nodiscard]] std::string_view view() const { return std::string_view(bytes_).substr(0, size_); }

 private:
  std::string bytes_;
  std::size_t size_;
};

class Core {
 public:
  explicit Core(const Limits& with = {}) : Core(with, nullptr, nullptr) {}
  // One of several that share `shared`; both outlive it.
  Core(const Limits& with, Node& shared, Neighbours& others) : Core(with, &shared, &others) {}
  ~Core() {
    for (const auto& client : clients_)
      if (client->link.session) disconnect(*client);
    node.set_stats(env.shard(), nullptr);
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // A client whose session is open; it lives as long as this. Refused: the test is wrong.
  Client& connect(std::string_view data = {}) {
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    auto opened = hub.open_session(client.link, data);
    HUBBUB_ASSERT(opened.has_value());
    client.session = client.link.session = opened->session;
    client.token = std::move(opened->token);
    return client;
  }
  // A new connection whose client shows `ticket` and has `received` messages. What the hub says.
  Result<Hub::Resumed> claim(FakeLink& link, const Ticket& ticket, std::uint64_t received) {
    link.last_input = clock.now;
    return hub.resume_session(
        link, {.code = ticket.code, .token = ticket.token, .epoch = ticket.epoch, .received = received});
  }
  // As claim(), for one that is good: the client with its session. Refused: the test is wrong.
  Client& resume(const Ticket& ticket, std::uint64_t received) {
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    auto resumed = claim(client.link, ticket, received);
    HUBBUB_ASSERT(resumed.has_value());
    client.session = client.link.session = resumed->session;
    client.token = std::move(resumed->token);
    client.replay = resumed->replay;
    return client;
  }
  // The connection is gone. The session lives on for its grace time; its pointer is forgotten here.
  void disconnect(Client& client) {
    client.link.session = nullptr;
    hub.detach(*std::exchange(client.session, nullptr));
  }

  // One message in; all that the client has got since it last took, out.
  std::vector<std::string> exchange(Client& client, std::string_view text) {
    deliver(client, text);
    return client.link.take();
  }
  void deliver(Client& client, std::string_view text) {
    const Padded padded(text);
    dispatcher.on_text(*client.session, padded.view());
    hub.finish_turn();
  }
  // As exchange(), for a message that gets one reply or none ("").
  std::string call(Client& client, std::string_view text) {
    const auto replies = exchange(client, text);
    HUBBUB_ASSERT(replies.size() <= 1);
    return replies.empty() ? std::string() : replies.front();
  }

  void advance(Millis ms) {
    clock.now += ms;
    env.turn_now = clock.now;
    timers.advance(clock.now);
  }
  [[nodiscard]] std::uint64_t hits(LimitHit limit) const {
    return stats.limit_hits[static_cast<std::size_t>(limit)];
  }
  [[nodiscard]] std::uint64_t errors(Errc code) const { return stats.errors[static_cast<std::size_t>(code)]; }

  FakeClock clock;
  SeededRng rng{42};
  RecordingLog log;
  TimerWheel timers{kStartMs};
  Limits limits;
  AccessRules access;
  Stats stats;
  Node own_node;
  Node& node;
  Env env;
  Hub hub{env};
  MethodTable table;
  std::shared_ptr<TestPoster> poster = std::make_shared<TestPoster>();
  Dispatcher dispatcher{hub, table, poster};

 private:
  Core(const Limits& with, Node* shared, Neighbours* others)
      : limits(with),
        node(shared ? *shared : own_node),
        env{clock, rng, log, timers, limits, access, stats, node, others, kStartMs} {
    node.set_stats(env.shard(), &stats);
    add_builtin_methods(table, dispatcher_pointer_);
  }

  Dispatcher* dispatcher_pointer_ = &dispatcher;
  std::vector<std::unique_ptr<Client>> clients_;
};

// As the broker does it, on one shard.
inline std::size_t send_to_all(Hub& hub, std::string_view data) {
  return hub.deliver_to_all(hub_message(data));
}
inline Result<SendStatus> send_to(Hub& hub, std::string_view to, std::string_view from,
                                  std::string_view data) {
  Result<SendStatus> sent = SendStatus::delivered;
  hub.broker().send(to, from, data, [&sent](Result<SendStatus> told) { sent = std::move(told); });
  return sent;
}
// A subscription that begins at once.
inline Result<Subscribed> subscribe_now(Topics& topics, Session& session, std::string_view topic,
                                        const SubscribeHow& how) {
  Result<Subscribed> result{};
  topics.subscribe(session, topic, how, [&result](Result<Subscribed> told) { result = std::move(told); });
  return result;
}

// The value at a JSON pointer as compact JSON text: at(reply, "/error/code"). "absent" if there is none, "not
// JSON" if the text is none.
inline std::string at(std::string_view text, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(element) != simdjson::SUCCESS) return "not JSON";
  if (!pointer.empty() && element.at_pointer(pointer).get(element) != simdjson::SUCCESS) return "absent";
  return simdjson::minify(element);
}

}  // namespace hubbub::test
