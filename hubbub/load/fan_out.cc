#include "hubbub/load/fan_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "hubbub/load/process_watch.h"

namespace hubbub::load {
namespace {
constexpr std::uint64_t kProbeNs = 250'000'000;  // for every subscriber to get one publication
}

FanOut::FanOut(const Options& options, Engine& engine)
    : options_(options),
      engine_(engine),
      subscribers_(options.connections),
      subscriber_script_(opening_script(options)),
      publisher_script_(subscriber_script_),
      message_(publication(options)),
      recognizer_(delivery_recognizer(options, message_)),
      answers_(publications_are_answered(options)),
      publishers_(options.publishers),
      expected_(options.connections * options.publishers),
      carry_(options.stream ? options.connections : 0) {
  subscriber_script_.push_back(subscribe_step(options));
  const std::uint64_t span =
      options.rate > 0 ? kOpenSpan : std::bit_ceil(std::max<std::uint64_t>(options.in_flight, 64));
  for (Publisher& publisher : publishers_) publisher.ring.resize(span);
}

Outcome<void> FanOut::on_ready(std::size_t link, std::uint64_t) {
  if (reads_slowly(link)) engine_.stop_reading(link);
  return {};
}

Outcome<void> FanOut::settle() {
  engine_.progress().set_phase("subscribing");
  const auto patience = static_cast<std::uint64_t>(options_.timeout_s * 1e9);
  if (!message_.has_number()) return settle_blindly();
  const auto arrived = [this] { return in_step(); };
  probed_at_ = now_ns();
  // The next probe leaves when the last one comes to nobody any more: it may take long to reach all.
  for (std::uint64_t pause = kProbeNs;; pause *= 2) {
    if (auto fine = probe(); !fine) return fine;
    if (auto fine = engine_.run(now_ns() + pause, arrived); !fine) return fine;
    while (!in_step() && now_ns() - probed_at_ < kProbeNs) {
      if (auto fine = engine_.turn(now_ns() + kProbeNs); !fine) return fine;
    }
    if (in_step() || now_ns() - probed_at_ > patience) break;
  }
  if (!in_step()) {
    return Failure(
        fmt::format("not every subscriber gets what is published: --subscribe, --publish and --expect must "
                    "fit the server{}{}",
                    last_ignored_.empty() ? "" : "; the last message that did not count: ", last_ignored_));
  }
  for (Publisher& publisher : publishers_) publisher.complete = publisher.published;
  settling_ = false;
  return {};
}

// Messages that cannot be told apart: what comes before the first publication is none.
Outcome<void> FanOut::settle_blindly() {
  auto fine = engine_.run(now_ns() + kProbeNs);
  std::ranges::fill(expected_, 0);
  settling_ = false;
  return fine;
}

// One publication of each publisher.
Outcome<void> FanOut::probe() {
  for (std::size_t i = 0; i < publishers_.size(); ++i) {
    append(i, now_ns());
    if (auto sent = flush(i); !sent) return sent;
  }
  return {};
}

bool FanOut::in_step() const {
  for (std::size_t i = 0; i < expected_.size(); ++i) {
    if (expected_[i] != publishers_[i % publishers_.size()].published) return false;
  }
  return answers_due_ == 0;
}

Outcome<void> FanOut::start(std::uint64_t now) {
  stopping_ = false;
  if (options_.rate > 0) schedule_ = Schedule(options_.rate, now);
  return end_of_turn(now);
}

Outcome<void> FanOut::on_message(std::size_t link, std::string_view text, std::uint64_t now) {
  if (link >= subscribers_) return on_publisher(text);
  if (options_.stream && !settling_) return on_piece(link, text, now);
  const std::size_t count = publishers_.size();
  // The lowest number that could come: what this subscriber waits for, or with several publishers what
  // anybody does.
  std::uint64_t oldest = expected_[link * count];
  std::uint64_t newest = publishers_[0].published;
  for (std::size_t i = 1; i < count; ++i) {
    oldest = std::min(oldest, expected_[link * count + i]);
    newest = std::max(newest, publishers_[i].published);
  }
  oldest -= std::min(oldest, kLookBack);
  const auto found = recognizer_.identify(text, oldest * count, (newest - oldest) * count);
  if (found.verdict == Recognizer::Verdict::message) {
    // Without numbers a message is the next one.
    const std::uint64_t number =
        message_.has_number() ? oldest * count + found.offset : expected_[link * count];
    return deliver(link, number, now);
  }
  if (found.verdict == Recognizer::Verdict::wrong && !settling_) {
    return Failure(fmt::format("subscriber {}: wrong message in the place of publication {}: {}", link,
                               expected_[link * count], text));
  }
  ignore(text);
  return {};
}

Outcome<void> FanOut::on_piece(std::size_t link, std::string_view text, std::uint64_t now) {
  const std::uint64_t first = expected_[link];
  const std::uint64_t window = publishers_[0].published - first;
  const std::uint64_t count = recognizer_.identify_stream(carry_[link], text, first, window);
  if (count == 0) ignore(text);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (auto fine = deliver(link, first + i, now); !fine) return fine;
  }
  return {};
}

Outcome<void> FanOut::deliver(std::size_t link, std::uint64_t number, std::uint64_t now) {
  const std::size_t index = number % publishers_.size();
  const std::uint64_t place = number / publishers_.size();
  Publisher& publisher = publishers_[index];
  std::uint64_t& expected = expected_[link * publishers_.size() + index];
  if (settling_) {
    if (place >= expected) probed_at_ = now;
    expected = std::max(expected, place + 1);
    engine_.note_movement(now);
    return {};
  }
  if (place != expected || place >= publisher.published) {
    return Failure(fmt::format(
        "subscriber {}: publication {} of publisher {} came {}, expected was {}", link, place, index,
        place < expected ? "twice" : "too early: some are lost or out of order", expected));
  }
  ++expected;
  Publication& publication = publisher.ring[place & (publisher.ring.size() - 1)];
  latency_.record(publication.since, now);
  ++done_;
  --deliveries_due_;
  if (--publication.left == 0) ++publisher.complete;
  return {};
}

Outcome<void> FanOut::on_publisher(std::string_view text) {
  const auto holds = [text](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (options_.dialect == Dialect::hubbub && holds(R"("error":)")) {
    return Failure(fmt::format("a publication was refused: {}", text));
  }
  if (answers_ && answers_due_ > 0 && holds(R"("result")")) {
    --answers_due_;
  } else {
    ignore(text);
  }
  return {};
}

Outcome<void> FanOut::end_of_turn(std::uint64_t now) {
  if (stopping_ || settling_) return {};
  if (options_.rate > 0) {
    for (; schedule_.due(now); next_publisher_ = (next_publisher_ + 1) % publishers_.size()) {
      if (publishers_[next_publisher_].under_way() == kOpenSpan) return {};
      const std::uint64_t since = schedule_.take();
      engine_.note_lateness(now - since);
      append(next_publisher_, since);
      if (auto sent = flush(next_publisher_); !sent) return sent;
    }
    return {};
  }
  // Publishes again for every publication that is complete, all in one write.
  for (std::size_t i = 0; i < publishers_.size(); ++i) {
    if (publishers_[i].under_way() == options_.in_flight) continue;
    while (publishers_[i].under_way() < options_.in_flight) append(i, now);
    if (auto sent = flush(i); !sent) return sent;
  }
  return {};
}

std::uint64_t FanOut::next_due() const {
  const bool waits = stopping_ || publishers_[next_publisher_].under_way() == kOpenSpan;
  return waits ? kNever : schedule_.next();
}

std::uint64_t FanOut::outstanding() const { return deliveries_due_ + answers_due_; }

void FanOut::append(std::size_t index, std::uint64_t since) {
  Publisher& publisher = publishers_[index];
  publisher.ring[publisher.published & (publisher.ring.size() - 1)] = {since, subscribers_};
  const std::uint64_t number = publisher.published++ * publishers_.size() + index;
  message_.append_frame(out_, {number, message_.has_time() ? unix_us() : 0, subscribers_ + index});
  if (!settling_) deliveries_due_ += subscribers_;
  if (answers_) ++answers_due_;
}

Outcome<void> FanOut::flush(std::size_t index) {
  auto sent = engine_.send(subscribers_ + index, out_);
  out_.clear();
  return sent;
}

}  // namespace hubbub::load
