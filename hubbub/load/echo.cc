#include "hubbub/load/echo.h"

#include <fmt/format.h>

#include <utility>

#include "hubbub/load/process_watch.h"

namespace hubbub::load {

Echo::Echo(const Options& options, Engine& engine)
    : options_(options),
      engine_(engine),
      script_(opening_script(options)),
      message_(echo_message(options)),
      recognizer_(echo_recognizer(options, message_)),
      flights_(options.connections),
      due_(options.connections),
      carry_(options.stream ? options.connections : 0) {}

Outcome<void> Echo::start(std::uint64_t now) {
  if (options_.rate > 0) {
    schedule_ = Schedule(options_.rate, now);
    return {};
  }
  for (std::size_t link = 0; link < flights_.size(); ++link) {
    due_[link] = static_cast<std::uint32_t>(options_.in_flight);
    if (auto sent = after_read(link, now); !sent) return sent;
  }
  return {};
}

Outcome<void> Echo::on_message(std::size_t link, std::string_view text, std::uint64_t now) {
  Flight& flight = flights_[link];
  if (options_.stream) {
    const std::uint64_t count =
        recognizer_.identify_stream(carry_[link], text, flight.oldest(), flight.span());
    if (count == 0) ignore(text);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (auto fine = answered(link, flight.oldest(), now); !fine) return fine;
    }
    return {};
  }
  const auto found = recognizer_.identify(text, flight.oldest(), flight.span());
  if (found.verdict == Recognizer::Verdict::message)
    return answered(link, flight.oldest() + found.offset, now);
  if (found.verdict == Recognizer::Verdict::wrong) {
    return Failure(fmt::format("connection {}: wrong answer to message {}: {}", link, flight.oldest(), text));
  }
  ignore(text);
  return {};
}

Outcome<void> Echo::answered(std::size_t link, std::uint64_t number, std::uint64_t now) {
  const auto since = flights_[link].answer(number);
  if (!since) return Failure(fmt::format("connection {}: message {} was answered twice", link, number));
  latency_.record(*since, now);
  ++due_[link];
  ++done_;
  --outstanding_;
  return {};
}

// As many messages leave, in one write, as answers came.
Outcome<void> Echo::after_read(std::size_t link, std::uint64_t now) {
  if (options_.rate > 0 || stopping_ || due_[link] == 0) return {};
  out_.clear();
  for (std::uint32_t i = std::exchange(due_[link], 0); i > 0 && !flights_[link].full(); --i)
    append(link, now);
  return engine_.send(link, out_);
}

// An open loop: all that is due, one connection after the other.
Outcome<void> Echo::end_of_turn(std::uint64_t now) {
  while (may_send() && schedule_.due(now)) {
    const std::size_t link = next_link_;
    next_link_ = (next_link_ + 1) % flights_.size();
    if (flights_[link].full())
      return Failure(fmt::format("connection {}: {} messages without answer", link, Flight::kSpanMax));
    const std::uint64_t since = schedule_.take();
    engine_.note_lateness(now - since);
    out_.clear();
    append(link, since);
    if (auto sent = engine_.send(link, out_); !sent) return sent;
  }
  return {};
}

std::uint64_t Echo::next_due() const { return may_send() ? schedule_.next() : kNever; }

void Echo::append(std::size_t link, std::uint64_t since) {
  const std::uint64_t number = flights_[link].send(since);
  message_.append_frame(out_, {number, message_.has_time() ? unix_us() : 0, link});
  ++outstanding_;
}

}  // namespace hubbub::load
