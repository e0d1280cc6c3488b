// Marks: counters that prove that rare paths were reached. A batch of seeds that never reaches one of them
// proves nothing about it, and fails. One process, one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hubbub::sim {

enum class Mark : std::uint8_t {
  resumed,                     // any resume
  resumed_twice,               // a resume of a session that was resumed before
  resumed_quiet,               // nothing was missed
  resume_from_ring,            // messages re-sent from the ring
  resume_with_missing,         // the reply announced a loss
  resume_reply_lost,           // the server resumed, the client never heard of it
  hole_refilled_from_history,  // messages re-sent from a topic's history
  gap_in_stream,               // session.gap
  takeover,                    // resumed while another connection was attached: that one got 4512
  takeover_mid_frame,          // the old connection had half a frame on the wire
  previous_token_used,
  theft_detected,        // an older token ended the session
  wrong_credentials,     // refused, and the session lived on
  count_too_high,        // resume with more than was sent: -32602
  plain_resume,          // in plain mode, instead of the fresh session
  plain_resume_refused,  // the fresh session stays
  expired,
  mailbox_queued,
  mailbox_full,
  reply_after_cut,  // a deferred call answered into a detached session
  reply_lost_in_gap,
  message_lost_in_gap,
  resent,        // a client sent a message again
  resent_known,  // that the server had: not sent, by the reply's count
  ack_trim,      // the server's ack let the client forget
  subscribed_since,
  subscribed_since_lost,  // recovered: false
  subscribed_last,
  presence_told,
  cancelled,
  slow_consumer_4008,
  no_pong_4012,
  accept_failed,
  out_of_descriptors,
  rate_limited,
  calls_busy,
  cut_by_reset,
  cut_by_fin,
  cut_silently,
  cut_mid_message,  // half a client's frame had arrived
  half_closed,      // the client ended its side and read on
  misbehaved,
  wall_clock_stepped,
  drained,  // the shard drained with clients on it
  // Between shards
  moved_by_url,         // a connection, in its head
  moved_by_request,     // a connection, when it asked to resume
  publication_crossed,  // came from a topic whose home is elsewhere
  joined_elsewhere,     // a subscription to such a topic
  send_crossed,         // session.send to a session of another shard
  way_full,             // something was refused for want of room on the way
  mirror_caught_up,     // got what it had missed
  mirror_lost,          // of that, history had let go
  shard_stalled,
  count_,
};

[[nodiscard]] std::string_view mark_name(Mark mark);

class Marks {
 public:
  void hit(Mark mark) { ++counts_[static_cast<std::size_t>(mark)]; }
  [[nodiscard]] std::uint64_t count(Mark mark) const { return counts_[static_cast<std::size_t>(mark)]; }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Mark::count_)> counts_{};
};

// Of this process.
[[nodiscard]] Marks& marks();

}  // namespace hubbub::sim
