#include "tests/sim/ledger.h"

#include "tests/sim/violation.h"

namespace hubbub::sim {

Serial Ledger::new_session(std::string code) {
  const auto serial = static_cast<Serial>(sessions_.size() + 1);
  sessions_[serial].code = std::move(code);
  return serial;
}

void Ledger::executed(Serial serial, std::uint64_t seq, std::string_view code) {
  const auto found = sessions_.find(serial);
  if (found == sessions_.end() || found->second.code != code)
    return break_promise("a call ran in another session than its own: " + std::string(code));
  SessionRecord& record = found->second;
  const std::string which = " call " + std::to_string(seq) + " of session " + std::string(code);
  if (++record.executions[seq] > 1) return break_promise("a call ran twice:" + which);
  if (seq <= record.last_executed) return break_promise("a call ran out of order:" + which);
  record.last_executed = seq;
}

std::uint64_t Ledger::executions(Serial serial, std::uint64_t seq) const {
  const auto& executions = sessions_.at(serial).executions;
  const auto found = executions.find(seq);
  return found == executions.end() ? 0 : found->second;
}

void Ledger::saw_publication(const std::string& topic, const std::string& epoch, std::uint64_t offset,
                             std::string_view data) {
  const auto [at, fresh] = publications_.try_emplace({topic + '/' + epoch, offset}, data);
  demand(fresh || at->second == data, "one position of a topic is one message to everybody:", topic, offset,
         at->second, data);
  Seen& last = last_seen_[topic];
  if (fresh && (last.epoch != epoch || last.offset < offset)) last = {epoch, offset};
}

Ledger::Seen Ledger::last_seen(const std::string& topic) const {
  const auto found = last_seen_.find(topic);
  return found == last_seen_.end() ? Seen{} : found->second;
}

std::uint64_t Ledger::new_send(Serial from, Serial to) {
  const std::uint64_t number = ++sessions_.at(from).last_send;
  sends_[{from, number}].to = to;
  return number;
}

SendRecord& Ledger::send(Serial from, std::uint64_t number) {
  const auto found = sends_.find({from, number});
  demand(found != sends_.end(), "a message from nowhere: sender", from, number);
  return found->second;
}

}  // namespace hubbub::sim
