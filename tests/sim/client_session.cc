#include "tests/sim/client_session.h"

#include <utility>

#include "hubbub/core/hub.h"
#include "tests/sim/json_read.h"
#include "tests/sim/marks.h"
#include "tests/sim/sharded_world.h"
#include "tests/sim/violation.h"

namespace hubbub::sim {
namespace {

Gap read_gap(const Json& missing) {
  return {number_at(missing, "from"), number_at(missing, "to"), flag_at(missing, "replies")};
}

Credentials read_credentials(const Json& result) {
  const auto session = member(result, "session");
  demand(session.has_value(), "the answer names the session");
  return {text_at(*session, "code"), text_at(*session, "epoch"), text_at(*session, "token")};
}

}  // namespace

ClientSession::ClientSession(Ledger& ledger, ShardedWorld& world, Strictness strictness, const Json& opened)
    : ledger_(ledger),
      world_(world),
      strictness_(strictness),
      credentials_(read_credentials(opened)),
      hub_(world.hub_of(credentials_.code)) {
  demand(!flag_at(opened, "resumed"), "a new session is not resumed");
  demand(number_at(opened, "sent") == 0 && number_at(opened, "received") == 0, "a new session counts from 0");
  serial_ = ledger_.new_session(credentials_.code);
  attached_at_ = hub_.env().now();
}

// --- Sending

std::string ClientSession::request(Issued issued, std::string_view method, std::string_view params) {
  const std::uint64_t id = ++last_id_;
  if (issued.method == Method::subscribe || issued.method == Method::unsubscribe)
    topic(issued.topic).expect(issued.wish.batched, strictness_.shards);
  if (issued.method == Method::presence) issued.notices = notices_[issued.topic];
  issued.message = sent_ + 1;
  issued_.emplace(id, std::move(issued));
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + std::string(method) +
         R"(","params":)" + std::string(params) + '}';
}

std::string ClientSession::notification(std::string_view method, std::string_view params) {
  if (method == "counter.add") notified_.insert(last_seq_);
  return R"({"jsonrpc":"2.0","method":")" + std::string(method) + R"(","params":)" + std::string(params) +
         '}';
}

const std::string& ClientSession::post(std::string text) {
  ++sent_;
  return unacked_.emplace_back(std::move(text));
}

bool ClientSession::elsewhere(const std::string& topic) const {
  return hub_.env().node.home_of(topic) != hub_.env().shard();
}

TopicView& ClientSession::topic(const std::string& name) {
  return topics_.try_emplace(name, ledger_, name).first->second;
}

// --- Receiving

Json ClientSession::parse(std::string_view text) {
  Json message;
  demand(parser_.parse(text.data(), text.size()).get(message) == simdjson::SUCCESS,
         "what the server sends is JSON:", std::string(text));
  return message;
}

bool ClientSession::on_text(std::string_view text) {
  const Json message = parse(text);
  std::string_view method;
  if (message.is_object() && message["method"].get(method) == simdjson::SUCCESS) {
    demand(!member(message, "id"), "the server makes no requests");
    const auto params = member(message, "params");
    demand(params.has_value(), "the server's notifications have params");
    if (method == "session.ack") return on_server_ack(number_at(*params, "received")), false;
    if (method == "session.gap") {
      marks().hit(Mark::gap_in_stream);
      const auto missing = member(*params, "missing");
      demand(missing.has_value(), "session.gap tells what is missing");
      return on_gap(read_gap(*missing)), false;
    }
    if (method == "session.closing") closing_code_ = number_at(*params, "code");
    if (method == "session.closing" || method == "session.draining") return false;
    demand(method != "session.opened", "session.opened comes once, first");
  }
  on_counted(text, message);
  return true;
}

void ClientSession::on_counted(std::string_view text, const Json& message) {
  ++received_;
  check_tap(text);
  if (received_ <= replay_to_) {
    demand(replay_due_ > 0, "the reply to a resume counts what is replayed", credentials_.code);
    --replay_due_;
    if (received_ == replay_to_) finish_replay();
  }
  std::string_view method;
  if (message.is_array()) {
    for (const Json reply : items_of(message)) on_reply(reply);
  } else if (message["method"].get(method) == simdjson::SUCCESS) {
    on_notification(method, *member(message, "params"));
  } else {
    on_reply(message);
  }
  tap_.forget(received_);
}

void ClientSession::check_tap(std::string_view text) const {
  // In the turn in which a session ends something may still be pushed to it.
  demand(received_ <= tap_.last() || !hub_.find(credentials_.code), "more came than was pushed to",
         credentials_.code, received_, tap_.last(), text);
  const std::string* pushed = tap_.text(received_);
  demand(!pushed || *pushed == text, "message", received_, "of", credentials_.code, "is", text, "pushed was",
         pushed ? *pushed : std::string());
}

void ClientSession::on_notification(std::string_view method, const Json& params) {
  if (method == "topic.message") {
    const auto data = member(params, "data");
    demand(data.has_value(), "a topic.message has data");
    const std::string name = text_at(params, "topic");
    if (elsewhere(name)) marks().hit(Mark::publication_crossed);
    topic(name).on_message(number_at(params, "offset"), simdjson::minify(*data), unknown_missing_);
  } else if (method == "session.message") {
    on_session_message(params, false);
  } else if (method == "hub.message") {
    const Json data = *member(params, "data");
    auto& last = last_broadcast_[static_cast<Serial>(number_at(data, "s"))];
    const std::uint64_t number = number_at(data, "n");
    demand(number > last, "broadcasts of one sender come in order and once", number, last);
    last = number;
  } else if (method == "topic.presence") {
    on_presence(params);
  } else {
    demand(false, "an unknown notification:", method);
  }
}

void ClientSession::on_session_message(const Json& params, bool missing) {
  const Json data = *member(params, "data");
  const auto from = static_cast<Serial>(number_at(data, "s"));
  const std::uint64_t number = number_at(data, "n");
  demand(ledger_.code_of(from) == text_at(params, "from"), "a message names its sender");
  SendRecord& record = ledger_.send(from, number);
  demand(record.to == serial_, "a message reaches whom it was sent to");
  auto& last = last_message_[from];
  demand(number > last, "messages of one sender come in order and once:", number, "after", last);
  demand(record.status != SendRecord::Status::refused, "what was refused is not delivered:", from, number);
  last = number;
  const Node& node = hub_.env().node;
  if (node.owner_of(*SessionCode::parse(ledger_.code_of(from))) != hub_.env().shard())
    marks().hit(Mark::send_crossed);
  (missing ? record.announced : record.seen) = true;
}

void ClientSession::on_presence(const Json& params) {
  marks().hit(Mark::presence_told);
  const std::string name = text_at(params, "topic");
  ++notices_[name];
  const auto known = members.find(name);
  if (known == members.end()) return;
  if (member(params, "more")) {
    members.erase(known);
    return;
  }
  std::set<std::string> joined;
  if (const auto list = member(params, "joined"))
    for (const Json code : items_of(*list)) joined.insert(string_of(code));
  known->second.insert(joined.begin(), joined.end());
  if (const auto list = member(params, "left"))
    for (const Json code : items_of(*list)) {
      const std::string left(code.get_string().value());
      demand(!joined.contains(left), "nobody joined and left in one notice:", left);
      known->second.erase(left);
    }
}

// --- The connection's part

void ClientSession::on_server_ack(std::uint64_t received) {
  demand(received <= sent_ && received >= server_has_, "the server acknowledges what was sent:", received,
         sent_, server_has_);
  if (received > server_has_) marks().hit(Mark::ack_trim);
  for (; server_has_ < received; ++server_has_) unacked_.pop_front();
}

void ClientSession::on_resumed(const Json& result) {
  Credentials fresh = read_credentials(result);
  demand(flag_at(result, "resumed"), "a resumed session says so");
  demand(fresh.code == credentials_.code && fresh.epoch == credentials_.epoch,
         "a session keeps code and epoch");
  demand(fresh.token != credentials_.token, "each resume gives a new token");
  old_tokens_.push_back(std::exchange(credentials_, std::move(fresh)).token);
  const std::uint64_t known = number_at(result, "received");
  demand(known >= server_has_ && known <= sent_,
         "the server has what it acknowledged, and no more than was sent:", known, server_has_, sent_);
  marks().hit(Mark::resumed);
  if (++resumes_ > 1) marks().hit(Mark::resumed_twice);
  if (known > server_has_) marks().hit(Mark::resent_known);
  for (; server_has_ < known; ++server_has_) unacked_.pop_front();
  if (!unacked_.empty()) marks().hit(Mark::resent);
  told_ = known;

  const auto replayed = member(result, "replayed");
  demand(replayed.has_value(), "the answer tells what is replayed");
  const std::uint64_t ring = number_at(*replayed, "ring");
  const std::uint64_t history = number_at(*replayed, "history");
  replay_to_ = 0;
  replay_lossless_ = true;
  const std::uint64_t end = number_at(result, "sent");
  demand(end >= received_, "the server sent what was received");
  told_recovered_ = flag_at(result, "recovered");
  if (const auto missing = member(result, "missing")) {
    marks().hit(Mark::resume_with_missing);
    demand(!told_recovered_, "a session that lost messages is not recovered");
    on_gap(read_gap(*missing));
    replay_lossless_ = false;
  }
  demand(told_recovered_ || !strictness_.lossless, "nothing may be missing here:", credentials_.code);
  replay_to_ = end;
  replay_due_ = ring + history;
  if (end == received_) finish_replay();
  demand(!told_recovered_ || replay_due_ == end - received_, "a recovered session gets all:", replay_due_,
         end, received_);
  demand(replay_due_ <= end - received_, "no more is replayed than was sent");
  if (end == received_ && replay_due_ == 0) marks().hit(Mark::resumed_quiet);
  if (ring > 0) marks().hit(Mark::resume_from_ring);
  if (history > 0) marks().hit(Mark::hole_refilled_from_history);
}

void ClientSession::look() {
  const Session* session = hub_.find(credentials_.code);
  if (!session) return;
  const Outbox& outbox = session->outbox();
  tap_.look(outbox);
  const Limits& limits = hub_.env().limits;
  const bool nothing_kept = limits.replay_messages == 0 || limits.replay_bytes == 0;
  if (session->state() != SessionState::attached) return;
  attached_at_ = hub_.env().now();
  demand(nothing_kept ? outbox.kept() == 0 : outbox.kept_bytes() <= limits.replay_bytes,
         "what is sent and not acknowledged is bounded by replay.bytes:", credentials_.code,
         outbox.kept_bytes());
  demand(outbox.kept() <= limits.replay_messages,
         "what is sent and not acknowledged is bounded by replay.messages:", credentials_.code,
         outbox.kept());
}

std::size_t ClientSession::outstanding() const {
  std::size_t open = 0;
  for (const auto& [id, issued] : issued_) open += !issued.excused;
  return open;
}

std::string ClientSession::first_outstanding() const {
  for (const auto& [id, issued] : issued_)
    if (!issued.excused)
      return "id " + std::to_string(id) + " in message " + std::to_string(issued.message) + " method " +
             std::to_string(static_cast<int>(issued.method));
  return {};
}

std::uint64_t ClientSession::cancellable() const {
  for (const auto& [id, issued] : issued_)
    if (issued.method == Method::slow && !issued.excused) return id;
  return 0;
}

void ClientSession::check_complete() const {
  demand(outstanding() == 0, "every call is answered:", credentials_.code, first_outstanding());
  demand(unacked_.empty(), "everything sent is acknowledged:", credentials_.code, unacked_.size());
  demand(received_ == tap_.last(), "everything pushed was received:", credentials_.code, received_,
         tap_.last());
  const Session* session = hub_.find(credentials_.code);
  demand(session && session->outbox().acked() == received_,
         "what is acknowledged is let go:", credentials_.code);
  demand(garbage_ == 0 || lost_unknown_, "garbled texts are answered", credentials_.code);
  for (std::uint64_t seq = 1; seq <= last_seq_; ++seq) {
    const std::uint64_t ran = ledger_.executions(serial_, seq);
    if (refused_.contains(seq))
      demand(ran == 0, "what is refused does not run:", credentials_.code, seq);
    else if (strictness_.may_refuse && (notified_.contains(seq) || lost_unknown_))
      demand(ran <= 1, "no call runs twice:", credentials_.code, seq);
    else
      demand(ran == 1, "every call ran once:", credentials_.code, seq, "ran", ran);
  }
  for (const auto& [at, record] : ledger_.sends()) {
    if (record.to != serial_ || record.status != SendRecord::Status::taken || lost_unknown_) continue;
    demand(record.seen || record.announced, "what was taken for delivery arrives:", credentials_.code,
           "sender", at.first, "number", at.second);
  }
}

}  // namespace hubbub::sim
