#include "tests/sim/marks.h"

namespace hubbub::sim {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Mark::count_)> kNames{
    "resumed",
    "resumed_twice",
    "resumed_quiet",
    "resume_from_ring",
    "resume_with_missing",
    "resume_reply_lost",
    "hole_refilled_from_history",
    "gap_in_stream",
    "takeover",
    "takeover_mid_frame",
    "previous_token_used",
    "theft_detected",
    "wrong_credentials",
    "count_too_high",
    "plain_resume",
    "plain_resume_refused",
    "expired",
    "mailbox_queued",
    "mailbox_full",
    "reply_after_cut",
    "reply_lost_in_gap",
    "message_lost_in_gap",
    "resent",
    "resent_known",
    "ack_trim",
    "subscribed_since",
    "subscribed_since_lost",
    "subscribed_last",
    "presence_told",
    "cancelled",
    "slow_consumer_4008",
    "no_pong_4012",
    "accept_failed",
    "out_of_descriptors",
    "rate_limited",
    "calls_busy",
    "cut_by_reset",
    "cut_by_fin",
    "cut_silently",
    "cut_mid_message",
    "half_closed",
    "misbehaved",
    "wall_clock_stepped",
    "drained",
    "moved_by_url",
    "moved_by_request",
    "publication_crossed",
    "joined_elsewhere",
    "send_crossed",
    "way_full",
    "mirror_caught_up",
    "mirror_lost",
    "shard_stalled",
};
static_assert(!kNames.back().empty(), "every mark has a name");

}  // namespace

std::string_view mark_name(Mark mark) { return kNames[static_cast<std::size_t>(mark)]; }

Marks& marks() {
  static Marks of_this_process;
  return of_this_process;
}

}  // namespace hubbub::sim
