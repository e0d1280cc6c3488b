// A connection with its Channel on a FakeLink, for the tests of what a client says and is answered.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/unit/core/core_fixture.h"

namespace hubbub::test {

// One connection with its channel.
struct Peer {
  Peer(Core& with, ChannelMode mode) : core(with), channel(std::make_unique<Channel>(with.dispatcher, mode)) {
    link.endpoint = channel.get();
    channel->on_open(link);
  }
  ~Peer() { cut(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void say(std::string_view text) {
    const Padded padded(text);
    channel->on_text(padded.view());
    core.hub.finish_turn();
  }
  // As say(); what came back outside the outbox, once.
  std::string ask(std::string_view text) {
    link.uncounted.clear();
    say(text);
    return link.uncounted.size() == 1 ? link.uncounted[0] : "not one answer";
  }
  void cut() {
    if (channel) channel->on_gone();
    link.endpoint = nullptr;
    channel.reset();
  }

  Core& core;
  FakeLink link;
  std::unique_ptr<Channel> channel;
};

// The string at a JSON pointer, without its quotes.
inline std::string text_at(std::string_view json, std::string_view pointer) {
  const std::string quoted = at(json, pointer);
  return quoted.size() < 2 ? quoted : quoted.substr(1, quoted.size() - 2);
}

}  // namespace hubbub::test
