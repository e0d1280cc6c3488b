// What Hub and Topics let go of to keep the memory budget (core/memory_budget.h).
#include <algorithm>
#include <vector>

#include "hubbub/base/held_memory.h"
#include "hubbub/core/hub.h"

namespace hubbub {
namespace {

// Queues smaller than this are not worth a connection.
constexpr std::size_t kQueueBytesMin = 4096;

// A frame goes with its last reference: what was freed is known afterwards only.
class Freed {
 public:
  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, before_ - HeldMemory::mine()));
  }

 private:
  std::int64_t before_ = HeldMemory::mine();
};

}  // namespace

std::size_t Hub::shed_detached(std::size_t wanted) {
  const Freed freed;
  sessions_.for_each([&](Handle<Session>, Session& session) {
    if (session.state() == SessionState::detached && session.outbox().places() > 0 && freed.bytes() < wanted)
      session.give_up_queue();
  });
  return freed.bytes();
}

std::size_t Hub::shed_queues(QueueKind kind, std::size_t wanted) {
  const Freed freed;
  std::vector<std::pair<std::size_t, Session*>> queues;
  sessions_.for_each([&](Handle<Session>, Session& session) {
    const Outbox& outbox = session.outbox();
    const std::size_t bytes = kind == QueueKind::not_taken ? outbox.unsent_bytes() : outbox.bytes();
    if (session.link() && bytes >= kQueueBytesMin) queues.emplace_back(bytes, &session);
  });
  std::ranges::sort(queues, std::greater<>{}, [](const auto& queue) { return queue.first; });
  for (const auto& [bytes, session] : queues) {
    if (freed.bytes() >= wanted) break;
    ++env_.stats.shed_queues;
    session->give_up_queue();
  }
  return freed.bytes();
}

std::size_t Topics::shed_histories(std::size_t wanted) {
  const Freed freed;
  for (const auto& [name, topic] : topics_) {
    if (freed.bytes() >= wanted) break;
    env_.stats.shed_histories += topic->history_.size();
    topic->history_.clear();
  }
  return freed.bytes();
}

}  // namespace hubbub
