// What a client makes of answers to its requests, and of losses that are announced to it.
#include <utility>

#include "hubbub/core/hub.h"
#include "tests/sim/client_session.h"
#include "tests/sim/json_read.h"
#include "tests/sim/marks.h"
#include "tests/sim/sharded_world.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {

// --- Answers

void ClientSession::on_reply(const Json& reply) {
  std::uint64_t id = 0;
  const auto error = member(reply, "error");
  if (reply["id"].is_null()) {
    demand(garbage_ > 0 && error, "an answer without an id to nothing that was garbled");
    --garbage_;
    return;
  }
  demand(reply["id"].get(id) == simdjson::SUCCESS, "an answer has the request's id");
  const auto found = issued_.find(id);
  demand(found != issued_.end(), "an answer nobody waits for, or the second:", simdjson::minify(reply));
  Issued issued = std::move(found->second);
  issued_.erase(found);
  if (error)
    on_error(issued, *error);
  else
    on_result(issued, *member(reply, "result"));
}

void ClientSession::on_result(Issued& issued, const Json& result) {
  switch (issued.method) {
    case Method::add:
    case Method::slow:
      demand(number_at(result, "seq") == issued.seq, "an answer is its own call's");
      demand(ledger_.executions(serial_, issued.seq) == 1, "what is answered ran once");
      return;
    case Method::subscribe:
      return on_subscribed(issued, result);
    case Method::unsubscribe:
      watched_.erase(issued.topic);
      members.erase(issued.topic);
      return topic(issued.topic).on_unsubscribed(flag_at(result, "unsubscribed"));
    case Method::publish: {
      const std::uint64_t offset = number_at(result, "offset");
      const std::string epoch = text_at(result, "epoch");
      ledger_.saw_publication(issued.topic, epoch, offset, issued.data);
      const TopicView& view = topic(issued.topic);
      // A mirror that the publication found no way to gets it later.
      if (!strictness_.narrow_ways && !issued.wish.batched && view.active() && view.sure() &&
          view.position().epoch == epoch && unknown_missing_ == 0)
        demand(view.position().offset >= offset, "one's own publication comes before its answer",
               issued.topic, offset);
      return;
    }
    case Method::send: {
      const std::string status = text_at(result, "status");
      demand(status == "queued" || status == "delivered", "the status of a send:", status);
      if (status == "queued") marks().hit(Mark::mailbox_queued);
      ledger_.send(serial_, issued.seq).status = SendRecord::Status::taken;
      return;
    }
    case Method::history: {
      const std::string epoch = text_at(result, "epoch");
      std::uint64_t expected = issued.wish.since ? issued.wish.since->offset + 1 : 0;
      for (const Json message : items_at(result, "messages")) {
        const std::uint64_t offset = number_at(message, "offset");
        demand(expected == 0 || offset == expected, "a history has no holes:", issued.topic, offset,
               expected);
        demand(offset <= number_at(result, "offset"), "a history ends at the topic's offset");
        ledger_.saw_publication(issued.topic, epoch, offset, simdjson::minify(*member(message, "data")));
        expected = offset + 1;
      }
      return;
    }
    case Method::presence:
      return on_members(issued, result);
    case Method::broadcast:
      (void)number_at(result, "sessions");
      return;
    case Method::late_open:
      return demand(false, "a second session.open or session.resume is refused");
    case Method::plain:
    case Method::close:
      return;
  }
}

void ClientSession::on_subscribed(const Issued& issued, const Json& result) {
  TopicView& view = topic(issued.topic);
  std::optional<bool> recovered;
  if (member(result, "recovered")) recovered = flag_at(result, "recovered");
  const TopicPosition position{text_at(result, "epoch"), number_at(result, "offset")};
  if (elsewhere(issued.topic)) marks().hit(Mark::joined_elsewhere);
  const auto& since = issued.wish.since;
  demand(
      strictness_.narrow_ways || !since || since->epoch != position.epoch || since->offset <= position.offset,
      "whoever is asked for more than has come asks the topic's home:", issued.topic);
  // Held back until the answer, unless there are more than outbox.* allows.
  demand(!strictness_.lossless || !view.early() || (!since && issued.wish.last == 0),
         "missed messages come after the answer:", issued.topic);
  view.on_subscribed(issued.wish, position, recovered, unknown_missing_);
  if (issued.wish.presence && view.sure()) {
    watched_.insert(issued.topic);
    return;
  }
  watched_.erase(issued.topic);
  members.erase(issued.topic);
}

void ClientSession::on_members(const Issued& issued, const Json& result) {
  std::set<std::string> told;
  for (const Json code : items_at(result, "members")) told.insert(string_of(code));
  demand(told.size() == number_at(result, "count"), "as many members as are counted");
  if (issued.compare && members.contains(issued.topic))
    demand(members[issued.topic] == told, "notices of presence tell who is there", issued.topic);
  if (!issued.wish.presence || !watches(issued.topic)) return;
  // Shards answer one after the other: a notice may be newer than a part of the answer that came after it.
  if (!strictness_.shards || issued.notices == notices_[issued.topic])
    members[issued.topic] = std::move(told);
  else
    members.erase(issued.topic);
}

// Too many calls, too fast, or a full way to another shard: nothing was done.
bool ClientSession::refused_for_now(const Issued& issued, std::int64_t code, const std::string& told) {
  if (code != -32009 && code != -32025) return false;
  const bool way_full = told.find("limits.shard_queue") != std::string::npos;
  marks().hit(way_full ? Mark::way_full : code == -32009 ? Mark::calls_busy : Mark::rate_limited);
  demand(way_full ? strictness_.narrow_ways : strictness_.may_refuse, "refused without need:", told);
  if (issued.method == Method::add || issued.method == Method::slow) {
    demand(ledger_.executions(serial_, issued.seq) == 0, "what is refused does not run");
    refused_.insert(issued.seq);
  }
  if (issued.method == Method::send) ledger_.send(serial_, issued.seq).status = SendRecord::Status::refused;
  return true;
}

void ClientSession::on_error(Issued& issued, const Json& error) {
  std::int64_t code = 0;
  demand(error["code"].get(code) == simdjson::SUCCESS, "an error has a code");
  const std::string told = simdjson::minify(error);
  if (issued.method == Method::subscribe) topic(issued.topic).lose_track(true);
  if (refused_for_now(issued, code, told)) return;
  switch (issued.method) {
    case Method::slow:
      demand(code == -32800, "an unexpected error:", told);
      marks().hit(Mark::cancelled);
      return;
    case Method::send: {
      const bool full = code == -32027;
      demand(full || code == -32026, "an unexpected error:", told);
      SendRecord& record = ledger_.send(serial_, issued.seq);
      if (full) {
        marks().hit(Mark::mailbox_full);
        demand(!strictness_.lossless, "a mailbox without bounds is never full:", told);
      } else {
        demand(world_.find(ledger_.code_of(record.to)) == nullptr, "a session that is there is known:", told);
      }
      demand(!record.seen, "what is refused is not delivered:", told);
      record.status = SendRecord::Status::refused;
      return;
    }
    case Method::history:
      return demand(code == -32031, "an unexpected error:", told);
    case Method::late_open:
      return demand(code == -32600, "an unexpected error:", told);
    case Method::subscribe:
      return demand(code == -32006 || code == -32030, "an unexpected error:", told);
    case Method::publish:
      return demand(code == -32030, "an unexpected error:", told);
    default:
      return demand(false, "an unexpected error:", told);
  }
}

// --- Losses

void ClientSession::on_gap(const Gap& gap) {
  demand(gap.from == received_ + 1 && gap.to >= gap.from, "a gap stands where the messages would:", gap.from,
         gap.to, "after", received_);
  demand(!strictness_.lossless, "nothing may be missing here:", credentials_.code, gap.from, gap.to);
  if (gap.replies) excuse_answers();
  const Session* session = hub_.find(credentials_.code);
  for (std::uint64_t number = gap.from; number <= gap.to; ++number) {
    demand(!session || !kept_message(session->outbox(), number),
           "what is kept is not missing:", credentials_.code, number);
    if (const std::string* text = tap_.text(number)) {
      on_known_missing(*text, gap);
    } else {
      ++unknown_missing_;
      lost_unknown_ = true;
      members.clear();
      for (auto& [name, notices] : notices_) ++notices;
    }
  }
  received_ = gap.to;
  tap_.forget(received_);
  if (received_ <= replay_to_) replay_lossless_ = false;
  if (received_ == replay_to_) finish_replay();
}

// The answers to what the server had before the resume may be among the missing.
void ClientSession::excuse_answers() {
  for (auto& [id, issued] : issued_) {
    if (issued.message > told_ || issued.excused) continue;
    issued.excused = true;
    lose(issued, false);
  }
}

void ClientSession::finish_replay() const {
  demand(replay_due_ == 0, "all that was promised is replayed", credentials_.code, replay_due_);
  demand(told_recovered_ == replay_lossless_, "`recovered` tells whether something is missing",
         credentials_.code);
}

void ClientSession::on_known_missing(const std::string& text, const Gap& gap) {
  Json message;
  demand(gap_parser_.parse(text).get(message) == simdjson::SUCCESS, "what was pushed is JSON");
  std::string_view method;
  if (message.is_object() && message["method"].get(method) == simdjson::SUCCESS) {
    marks().hit(Mark::message_lost_in_gap);
    const Json params = *member(message, "params");
    if (method == "topic.message")
      topic(text_at(params, "topic")).on_missing(number_at(params, "offset"), unknown_missing_);
    if (method == "session.message") on_session_message(params, true);
    if (method == "topic.presence") {
      members.erase(text_at(params, "topic"));
      ++notices_[text_at(params, "topic")];
    }
    return;
  }
  marks().hit(Mark::reply_lost_in_gap);
  demand(gap.replies, "a lost answer is announced:", text);
  if (!message.is_array()) return lose_answer(message);
  for (const Json reply : items_of(message)) lose_answer(reply);
}

void ClientSession::lose_answer(const Json& reply) {
  std::uint64_t id = 0;
  if (reply["id"].get(id) != simdjson::SUCCESS) {
    --garbage_;
    return;
  }
  const auto found = issued_.find(id);
  demand(found != issued_.end(), "an answer nobody waits for was lost:", simdjson::minify(reply));
  const Issued& issued = found->second;
  if (member(reply, "error") && (issued.method == Method::add || issued.method == Method::slow) &&
      ledger_.executions(serial_, issued.seq) == 0)
    refused_.insert(issued.seq);
  lose(issued, true);
  issued_.erase(found);
}

void ClientSession::lose(const Issued& issued, bool surely) {
  if (issued.method == Method::subscribe || issued.method == Method::unsubscribe) {
    topic(issued.topic).lose_track(surely);
    watched_.erase(issued.topic);
    members.erase(issued.topic);
  }
  if (issued.method == Method::send) {
    auto& status = ledger_.send(serial_, issued.seq).status;
    if (status == SendRecord::Status::open) status = SendRecord::Status::unknown;
  }
}

}  // namespace hubbub::sim
