// Broker: the one way a publication, a message to a session's code or a broadcast travels, whether its
// receivers are on this shard, another one or another machine. LocalBroker serves one shard: it hands
// everything back to its own hub.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "hubbub/base/error.h"
#include "hubbub/core/topic.h"

namespace hubbub {

class Hub;

enum class SendStatus : std::uint8_t { delivered, queued };

class Broker {
 public:
  using PublishDone = std::move_only_function<void(Result<Position>)>;
  using SendDone = std::move_only_function<void(Result<SendStatus>)>;
  using BroadcastDone = std::move_only_function<void(Result<std::size_t>)>;

  virtual ~Broker() = default;
  // `data` is JSON text that dies on return. `done` is called exactly once on the caller's shard thread, now
  // or later.
  virtual void publish(std::string_view topic, std::string_view data, PublishDone done) = 0;
  virtual void send(std::string_view to_code, std::string_view from_code, std::string_view data,
                    SendDone done) = 0;
  virtual void broadcast(std::string_view data, BroadcastDone done) = 0;
};

class LocalBroker final : public Broker {
 public:
  explicit LocalBroker(Hub& hub) : hub_(hub) {}
  void publish(std::string_view topic, std::string_view data, PublishDone done) override;
  void send(std::string_view to_code, std::string_view from_code, std::string_view data,
            SendDone done) override;
  void broadcast(std::string_view data, BroadcastDone done) override;

 private:
  Hub& hub_;
};

}  // namespace hubbub
