// The echo workload: calls and replies, in order, on every connection.
#include <fmt/format.h>

#include "bench/workload.h"

namespace hubbub::bench {
namespace {

class Echo final : public Workload {
 public:
  explicit Echo(const WorkloadOptions& options) : options_(options), callers_(options.connections) {
    append_text_frame(frame_, kEchoRequest);
    for (std::size_t i = 0; i < options_.inflight; ++i) frames_ += frame_;
  }

  Outcome<void> open() override {
    for (Caller& caller : callers_) {
      auto link = open_link(options_.port, options_.target);
      if (!link) return std::unexpected(std::move(link.error()));
      links_.push_back(std::move(*link));
      caller.started.resize(options_.inflight);
    }
    return learn_reply();
  }

  Outcome<void> start(std::uint64_t now) override {
    for (std::size_t link = 0; link < links_.size(); ++link) {
      callers_[link].due = options_.inflight;
      if (auto sent = after_read(link, now); !sent) return sent;
    }
    return {};
  }

  Outcome<void> on_text(std::size_t link, std::string_view text, std::uint64_t now) override {
    if (text != reply_) {
      if (is_ack(text)) return {};
      return std::unexpected(fmt::format("wrong reply: {} instead of {}", text, reply_));
    }
    Caller& caller = callers_[link];
    if (caller.received == caller.sent) return std::unexpected("a reply to no call");
    latency_.record(now - caller.started[caller.received % options_.inflight]);
    ++caller.received;
    ++caller.due;
    ++done_;
    --outstanding_;
    return {};
  }

  // As many calls leave, in one send, as replies came.
  Outcome<void> after_read(std::size_t link, std::uint64_t now) override {
    Caller& caller = callers_[link];
    if (stopping_ || caller.due == 0) return {};
    const std::size_t calls = std::exchange(caller.due, 0);
    for (std::size_t i = 0; i < calls; ++i) caller.started[caller.sent++ % options_.inflight] = now;
    outstanding_ += calls;
    return links_[link].send(std::string_view(frames_).substr(0, calls * frame_.size()));
  }

  Outcome<void> end_of_turn(std::uint64_t) override { return {}; }
  std::uint64_t outstanding() const override { return outstanding_; }

 private:
  struct Caller {
    std::size_t due = 0;  // calls to begin
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::vector<std::uint64_t> started;  // ring of the calls under way
  };

  // One call by hand: is the reply what an echo is?
  Outcome<void> learn_reply() {
    if (auto said = links_.front().say(kEchoRequest); !said) return said;
    auto reply = hear_answer(links_.front());
    if (!reply) return std::unexpected(std::move(reply.error()));
    const bool right = options_.target == Target::floor
                           ? *reply == kEchoRequest
                           : reply->find(R"("result":{"a":1})") != std::string::npos &&
                                 reply->find(R"("id":1)") != std::string::npos;
    if (!right) return std::unexpected(fmt::format("not an echo: {}", *reply));
    reply_ = std::move(*reply);
    return {};
  }

  WorkloadOptions options_;
  std::vector<Caller> callers_;  // as links_
  std::string frame_;
  std::string frames_;  // `inflight` of them
  std::string reply_;
  std::uint64_t outstanding_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_echo(const WorkloadOptions& options) {
  return std::make_unique<Echo>(options);
}

}  // namespace hubbub::bench
