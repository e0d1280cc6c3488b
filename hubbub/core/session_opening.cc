#include "hubbub/core/session_opening.h"

#include "hubbub/base/planted.h"
#include "hubbub/base/version.h"
#include "hubbub/core/json_write.h"
#include "hubbub/core/session.h"
#include "hubbub/wire/json.h"

namespace hubbub {
namespace {

Opening opening(const Session& session, std::string_view token, const Env& env) {
  const Limits& limits = env.limits;
  return {.session = {.code = session.code().text(),
                      .epoch = session.identity().epoch,
                      .token = std::string(token),
                      .ttl_ms = limits.grace_ms},
          .resumed = false,
          .recovered = std::nullopt,
          .sent = session.outbox().tail(),
          .received = session.received(),
          .missing = std::nullopt,
          .replayed = std::nullopt,
          .limits = {.message_bytes = limits.message_bytes,
                     .batch_items = limits.batch_items,
                     .topics = limits.topics_per_session,
                     .rate_per_s = limits.rate_per_s,
                     .rate_burst = limits.rate_burst,
                     .ping_ms = limits.ping_interval_ms,
                     .replay = {.messages = limits.replay_messages,
                                .bytes = limits.replay_bytes,
                                .ms = limits.replay_age_ms}},
          .server = {.name = "hubbub",
                     .version = std::string(kVersion),
                     .time = wire::format_time(env.clock.wall_ms())}};
}

std::string text(const Opening& opening) {
  std::string json;
  write_json(json, opening);
  return json;
}

}  // namespace

std::string opened_json(const Session& session, std::string_view token, const Env& env) {
  return text(opening(session, token, env));
}

std::string resumed_json(const Session& session, std::string_view token, std::uint64_t received,
                         const Outbox::Replay& replay, const Env& env) {
  Opening result = opening(session, token, env);
  result.resumed = true;
  result.recovered = replay.missing_to == 0 && !replay.gaps;
  if (HUBBUB_PLANTED(count_off_by_one) && session.received() % 5 == 4) ++result.received;
  if (replay.missing_to > 0)
    result.missing = {.from = received + 1, .to = replay.missing_to, .replies = replay.missing_replies};
  result.replayed = {.ring = replay.from_ring, .history = replay.from_history};
  return text(result);
}

}  // namespace hubbub
