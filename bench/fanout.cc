// The fan-out workload: links 0..N-1 subscribe, link N publishes.
#include <fmt/format.h>

#include "bench/workload.h"

namespace hubbub::bench {
namespace {

class Fanout final : public Workload {
 public:
  explicit Fanout(const WorkloadOptions& options)
      : options_(options),
        filling_(options.data_bytes - kDigits, '.'),
        received_(options.connections),
        under_way_(options.inflight) {}

  Outcome<void> open() override {
    for (std::size_t i = 0; i <= options_.connections; ++i) {
      auto link = open_link(options_.port, options_.target);
      if (!link) return std::unexpected(std::move(link.error()));
      links_.push_back(std::move(*link));
      if (i == options_.connections) break;
      if (auto subscribed = subscribe(links_.back(), options_.target); !subscribed) return subscribed;
    }
    return {};
  }

  Outcome<void> start(std::uint64_t now) override { return end_of_turn(now); }

  Outcome<void> on_text(std::size_t link, std::string_view text, std::uint64_t now) override {
    if (link == options_.connections) return on_reply(text);
    std::uint64_t& received = received_[link];
    Publication& publication = under_way_[received % options_.inflight];
    if (received == published_ || !carries(text, publication)) {
      if (is_ack(text)) return {};
      return std::unexpected(fmt::format("subscriber {} got {} for its delivery {}", link, text, received));
    }
    ++received;
    ++done_;
    latency_.record(now - publication.started);
    if (--publication.left == 0) ++complete_;
    return {};
  }

  Outcome<void> after_read(std::size_t, std::uint64_t) override { return {}; }

  // Publishes again for every publication that is complete, all in one send.
  Outcome<void> end_of_turn(std::uint64_t now) override {
    if (stopping_ || published_ - complete_ == options_.inflight) return {};
    out_.clear();
    for (; published_ - complete_ < options_.inflight; ++published_) {
      Publication& publication = under_way_[published_ % options_.inflight];
      publication = {now, options_.connections, fmt::format("{:0{}}", published_, kDigits)};
      append_text_frame(out_, publish_message(options_.target, publication.digits + filling_));
    }
    return links_.back().send(out_);
  }

  std::uint64_t outstanding() const override {
    const std::uint64_t replies = options_.target == Target::hubbub ? published_ - replies_ : 0;
    return published_ * options_.connections - done_ + replies;
  }

 private:
  struct Publication {
    std::uint64_t started = 0;
    std::size_t left = 0;  // subscribers still to get it
    std::string digits;
  };

  Outcome<void> on_reply(std::string_view text) {
    if (is_ack(text)) return {};
    if (options_.target == Target::floor || text.find(R"("result")") == std::string_view::npos) {
      return std::unexpected(fmt::format("publisher got {}", text));
    }
    ++replies_;
    return {};
  }

  // The data ends two braces and a quote before the message does, where a server writes it last; else it is
  // searched.
  bool carries(std::string_view text, const Publication& publication) const {
    const std::size_t tail = options_.data_bytes + 3;
    return (text.size() > tail && text.substr(text.size() - tail, kDigits) == publication.digits) ||
           text.find(publication.digits) != std::string_view::npos;
  }

  WorkloadOptions options_;
  std::string filling_;
  std::vector<std::uint64_t> received_;  // deliveries of each subscriber: also the number it is to get next
  std::vector<Publication>
      under_way_;  // ring; subscribers get publications in order, so they complete in order
  std::uint64_t published_ = 0;
  std::uint64_t complete_ = 0;
  std::uint64_t replies_ = 0;
  std::string out_;
};

}  // namespace

std::unique_ptr<Workload> make_fanout(const WorkloadOptions& options) {
  return std::make_unique<Fanout>(options);
}

}  // namespace hubbub::bench
