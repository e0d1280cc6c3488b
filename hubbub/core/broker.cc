#include "hubbub/core/broker.h"

#include <memory>
#include <string>
#include <utility>

#include "hubbub/core/hub.h"
#include "hubbub/core/notices.h"

namespace hubbub {

template <class T, class Work>
void LocalBroker::on_shard(ShardId shard, std::size_t bytes, Work work,
                           std::move_only_function<void(Result<T>)> done) {
  const Env& env = hub_.env();
  if (shard == env.shard()) return done(work(hub_));
  // Goes there and comes back with the result, so that its memory ends on the thread that asked for it.
  struct Errand {
    Work work;
    std::move_only_function<void(Result<T>)> done;
    ShardId back;
    Result<T> result = {};
  };
  auto errand = std::make_unique<Errand>(std::move(work), std::move(done), env.shard());
  Errand* const mine = errand.get();
  HubTask task = [errand = std::move(errand)](Hub& there) mutable {
    errand->result = errand->work(there);
    const ShardId back = errand->back;
    there.env().neighbours->answer(
        back, [errand = std::move(errand)](Hub&) mutable { errand->done(std::move(errand->result)); });
  };
  // Where there is no room the task stays here, and the caller still hears of it.
  if (!env.neighbours->ask(shard, std::move(task), bytes)) mine->done(std::unexpected(neighbour_busy()));
}

template <class T, class Work, class Add>
void LocalBroker::on_all_shards(std::size_t bytes, const Work& work, Add add,
                                std::move_only_function<void(Result<T>)> done) {
  const ShardId shards = hub_.env().node.shards();
  struct Gathered {
    ShardId missing;
    Result<T> all;
    std::move_only_function<void(Result<T>)> done;
  };
  auto gathered = std::make_shared<Gathered>(shards, T{}, std::move(done));
  for (ShardId shard = 0; shard < shards; ++shard)
    on_shard<T>(shard, bytes, work, [gathered, add](Result<T> part) {
      if (gathered->all && !part)
        gathered->all = std::unexpected(std::move(part.error()));
      else if (gathered->all)
        add(*gathered->all, std::move(*part));
      if (--gathered->missing == 0) gathered->done(std::move(gathered->all));
    });
}

void LocalBroker::publish(std::string_view topic, std::string_view data, PublishDone done) {
  const ShardId home = hub_.env().node.home_of(topic);
  if (home == hub_.env().shard()) return done(hub_.deliver(topic, data));
  on_shard<Position>(
      home, topic.size() + data.size(),
      [topic = std::string(topic), data = std::string(data)](Hub& hub) { return hub.deliver(topic, data); },
      std::move(done));
}

void LocalBroker::send(std::string_view to_code, std::string_view from_code, std::string_view data,
                       SendDone done) {
  const auto to = SessionCode::parse(to_code);
  if (!to) return done(std::unexpected(unknown_target()));
  FrameRef frame = session_message(from_code, data);
  const std::size_t bytes = frame->size();
  on_shard<SendStatus>(
      hub_.env().node.owner_of(*to), bytes,
      [to = *to, frame = std::move(frame)](Hub& hub) { return hub.deliver_to(to, frame); }, std::move(done));
}

void LocalBroker::broadcast(std::string_view data, BroadcastDone done) {
  const FrameRef frame = hub_message(data);
  on_all_shards<std::size_t>(
      frame->size(), [frame](Hub& hub) -> Result<std::size_t> { return hub.deliver_to_all(frame); },
      [](std::size_t& all, std::size_t part) { all += part; }, std::move(done));
}

void LocalBroker::history(std::string_view topic, const std::optional<Position>& since, std::uint32_t limit,
                          HistoryDone done) {
  on_shard<HistorySlice>(
      hub_.env().node.home_of(topic), topic.size(),
      [topic = std::string(topic), since, limit](Hub& hub) {
        return hub.topics().history(topic, since, limit);
      },
      std::move(done));
}

// The topic's home asks all shards: so they hear of it after whatever the caller sent there before, and who
// joins or leaves a shard after that has answered is reported to the caller's watch.
void LocalBroker::members(std::string_view topic, std::size_t codes_max, MembersDone done) {
  const Env& env = hub_.env();
  const ShardId home = env.node.home_of(topic);
  if (home == env.shard()) return members_from_home(topic, codes_max, std::move(done));
  auto waiting = std::make_shared<MembersDone>(std::move(done));
  HubTask task = [topic = std::string(topic), codes_max, waiting, back = env.shard()](Hub& there) {
    there.broker().members(topic, codes_max, [waiting, back, &there](Result<Members> members) {
      there.env().neighbours->answer(
          back, [waiting, members = std::move(members)](Hub&) mutable { (*waiting)(std::move(members)); });
    });
  };
  if (!env.neighbours->ask(home, std::move(task), topic.size()))
    (*waiting)(std::unexpected(neighbour_busy()));
}

void LocalBroker::members_from_home(std::string_view topic, std::size_t codes_max, MembersDone done) {
  on_all_shards<Members>(
      topic.size(),
      [topic = std::string(topic), codes_max](Hub& hub) { return hub.topics().members(topic, codes_max); },
      [this, topic = std::string(topic), codes_max](Members& all, Members part) {
        hub_.topics().note_shown(topic);
        all.count += part.count;
        const std::size_t room = codes_max - all.codes.size();
        if (part.codes.size() > room) part.codes.resize(room);
        all.codes.insert(all.codes.end(), std::make_move_iterator(part.codes.begin()),
                         std::make_move_iterator(part.codes.end()));
      },
      std::move(done));
}

}  // namespace hubbub
