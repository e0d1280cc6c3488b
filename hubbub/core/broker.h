// Broker: the one way a publication, a message to a session's code, a broadcast or a question about a topic
// travels, whether those concerned are on this shard, another one or another machine. LocalBroker knows the
// shards of this process.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "hubbub/base/error.h"
#include "hubbub/core/topics.h"

namespace hubbub {

class Hub;

enum class SendStatus : std::uint8_t { delivered, queued };

// session.send to a code that no session has.
[[nodiscard]] Error unknown_target();

class Broker {
 public:
  using PublishDone = std::move_only_function<void(Result<Position>)>;
  using SendDone = std::move_only_function<void(Result<SendStatus>)>;
  using BroadcastDone = std::move_only_function<void(Result<std::size_t>)>;
  using HistoryDone = std::move_only_function<void(Result<HistorySlice>)>;
  using MembersDone = std::move_only_function<void(Result<Members>)>;

  virtual ~Broker() = default;
  // `data` is JSON text that dies on return. `done` is called once on the caller's shard thread, now or
  // later; not if the hub ends before. All fail with overloaded when a shard concerned has too much waiting
  // for it.
  virtual void publish(std::string_view topic, std::string_view data, PublishDone done) = 0;
  virtual void send(std::string_view to_code, std::string_view from_code, std::string_view data,
                    SendDone done) = 0;
  // How many sessions it reached. After an error it may have reached some: those of the shards that had room.
  virtual void broadcast(std::string_view data, BroadcastDone done) = 0;
  // As Topics::history, and Topics::members of all shards together.
  virtual void history(std::string_view topic, const std::optional<Position>& since, std::uint32_t limit,
                       HistoryDone done) = 0;
  virtual void members(std::string_view topic, std::size_t codes_max, MembersDone done) = 0;
};

class LocalBroker final : public Broker {
 public:
  explicit LocalBroker(Hub& hub) : hub_(hub) {}
  void publish(std::string_view topic, std::string_view data, PublishDone done) override;
  void send(std::string_view to_code, std::string_view from_code, std::string_view data,
            SendDone done) override;
  void broadcast(std::string_view data, BroadcastDone done) override;
  void history(std::string_view topic, const std::optional<Position>& since, std::uint32_t limit,
               HistoryDone done) override;
  void members(std::string_view topic, std::size_t codes_max, MembersDone done) override;

 private:
  void members_from_home(std::string_view topic, std::size_t codes_max, MembersDone done);
  // Runs `work` with the hub of `shard` and calls `done` here with what it gave.
  template <class T, class Work>
  void on_shard(ShardId shard, std::size_t bytes, Work work, std::move_only_function<void(Result<T>)> done);
  // Runs `work` with every shard's hub and calls `done` here with all it gave, put together by `add`.
  template <class T, class Work, class Add>
  void on_all_shards(std::size_t bytes, const Work& work, Add add,
                     std::move_only_function<void(Result<T>)> done);

  Hub& hub_;
};

}  // namespace hubbub
