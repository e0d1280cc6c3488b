#include "hubbub/load/resume.h"

#include <fmt/format.h>

#include <utility>

namespace hubbub::load {
namespace {

// The string member `name` of an answer whose strings need no escapes, as codes, tokens and epochs do not.
std::string member(std::string_view text, std::string_view name) {
  const std::string key = fmt::format(R"("{}":")", name);
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size();
  return std::string(text.substr(begin, text.find('"', begin) - begin));
}

}  // namespace

Resume::Resume(const Options& options, Engine& engine)
    : engine_(engine),
      target_(options.url.target),
      opening_(opening_script(options)),
      publisher_(opening_),
      message_(publication(options)),
      recognizer_(delivery_recognizer(options, message_)),
      sessions_(options.connections) {
  opening_.push_back(subscribe_step(options));
}

const Script& Resume::script(std::size_t link) {
  if (link == publisher()) return publisher_;
  if (!resuming()) return opening_;
  const Session& session = sessions_[link];
  resuming_ = {request_step(
      fmt::format(R"({{"jsonrpc":"2.0","id":2,"method":"session.resume","params":{{"code":"{}","token":"{}",)"
                  R"("epoch":"{}","received":{}}}}})",
                  session.code, session.token, session.epoch, session.received),
      false)};
  return resuming_;
}

// The code tells a server with several threads whose session this is, before anything else is said.
std::string Resume::target(std::size_t link) const {
  if (!resuming() || link == publisher()) return {};
  const char separator = target_.find('?') == std::string::npos ? '?' : '&';
  return fmt::format("{}{}session={}", target_, separator, sessions_[link].code);
}

Outcome<void> Resume::on_answer(std::size_t link, std::size_t step, std::string_view text) {
  if (link == publisher() || step != 0) return {};
  Session& session = sessions_[link];
  session.code = member(text, "code");
  session.token = member(text, "token");
  session.epoch = member(text, "epoch");
  if (session.token.empty()) return Failure(fmt::format("session {}: no token in {}", link, text));
  if (resuming() && text.find(R"("recovered":true)") == std::string_view::npos) {
    note(fmt::format("session {} was not recovered: {}", link, text));
  }
  return {};
}

Outcome<void> Resume::on_ready(std::size_t link, std::uint64_t now) {
  if (!resuming() || link == publisher()) return {};
  latency_.record(began_at_, now);
  ++done_;
  all_back_at_ = now;
  // Confirms the new token, as clients should.
  engine_.set_counted(link, sessions_[link].received);
  return engine_.acknowledge(link);
}

Outcome<void> Resume::on_lost(std::size_t link, const std::string& reason, std::uint64_t now) {
  if (!resuming() || link == publisher()) return Workload::on_lost(link, reason, now);
  Session& session = sessions_[link];
  note(fmt::format("session {}: {}", link, reason));
  ++refused_;
  missed_ += published_ - session.expected;
  to_come_ -= published_ - session.expected;
  session.gone = true;
  return {};
}

Outcome<void> Resume::on_message(std::size_t link, std::string_view text, std::uint64_t) {
  if (link == publisher()) {
    if (text.find(R"("error":)") != std::string_view::npos)
      return Failure(fmt::format("a publication was refused: {}", text));
    if (answers_due_ > 0 && text.find(R"("result")") != std::string_view::npos) --answers_due_;
    return {};
  }
  const auto found = recognizer_.identify(text, 0, published_);
  if (found.verdict != Recognizer::Verdict::message) {
    if (!is_ack(text)) note(fmt::format("session {} got {}", link, text));
    ignore(text);
    return {};
  }
  Session& session = sessions_[link];
  if (found.offset < session.expected) {
    ++twice_;
    note(fmt::format("session {} got publication {} twice", link, found.offset));
    return {};
  }
  const std::uint64_t skipped = found.offset - session.expected;
  if (skipped > 0) note(fmt::format("session {} missed publication {}", link, session.expected));
  missed_ += skipped;
  to_come_ -= skipped + 1;
  session.expected = found.offset + 1;
  return {};
}

void Resume::drop_all() {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    sessions_[i].received = engine_.counted(i);
    engine_.drop(i);
  }
}

Outcome<void> Resume::publish(std::uint64_t count) {
  std::string out;
  for (std::uint64_t i = 0; i < count; ++i) message_.append_frame(out, {.number = published_ + i});
  published_ += count;
  answers_due_ += count;
  for (Session& session : sessions_) {
    if (session.gone) {
      session.expected = published_;
    } else {
      to_come_ += count;
    }
  }
  return engine_.send(publisher(), out);
}

void Resume::begin_resuming(std::uint64_t now) {
  began_at_ = now;
  latency_.open(now);
}

void Resume::note(std::string text) {
  if (error_.empty()) error_ = std::move(text);
}

}  // namespace hubbub::load
