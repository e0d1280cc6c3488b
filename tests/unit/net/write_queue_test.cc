#include "hubbub/net/write_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "hubbub/base/rng.h"
#include "tests/unit/net/write_queue_fixture.h"

namespace hubbub {
namespace {

using test::frame;
using test::frame_size;
using test::inflated;
using test::kNoBound;
using test::OutboxEndpoint;
using test::Queue;
using test::wire_of;

TEST_F(Queue, uncounted_frames_go_before_the_outbox) {
  endpoint.box.push(frame("counted"));
  queue.push(frame("pong"));
  EXPECT_EQ(write(kNoBound), wire_of("pong") + wire_of("counted"));
  EXPECT_EQ(endpoint.sent, 1);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.uncounted_bytes(), 0U);
}

TEST_F(Queue, a_frame_that_is_half_on_the_wire_goes_first) {
  endpoint.box.push(frame("first message"));
  endpoint.box.push(frame("second"));
  const std::string begun = write(5);
  EXPECT_TRUE(queue.mid_frame());
  EXPECT_FALSE(queue.empty());
  queue.push(frame("pong"));
  EXPECT_EQ(begun + write(kNoBound), wire_of("first message") + wire_of("pong") + wire_of("second"));
  EXPECT_EQ(endpoint.sent, 2);
}

TEST_F(Queue, closed_outbox_gives_only_the_rest_of_its_half_frame) {
  endpoint.box.push(frame("first message"));
  endpoint.box.push(frame("second"));
  const std::string begun = write(5);
  queue.push(frame("close"));
  EXPECT_EQ(begun + write(kNoBound, false), wire_of("first message") + wire_of("close"));
  EXPECT_EQ(gather(false), "");
  EXPECT_EQ(endpoint.box.unsent(), 1U);
}

TEST_F(Queue, nothing_written_changes_nothing) {
  endpoint.box.push(frame("message"));
  queue.push(frame("pong"));
  EXPECT_EQ(write(0), "");
  EXPECT_FALSE(queue.mid_frame());
  EXPECT_EQ(gather(), wire_of("pong") + wire_of("message"));
}

TEST_F(Queue, a_write_is_bounded_in_bytes_but_always_takes_one_frame) {
  for (int i = 0; i < 10; ++i) endpoint.box.push(frame(std::string(100, 'x')));
  EXPECT_EQ(gather(true, 1).size(), 102U);
  EXPECT_EQ(gather(true, 102).size(), 102U);
  EXPECT_EQ(gather(true, 103).size(), 204U);
}

TEST_F(Queue, a_write_is_bounded_in_parts) {
  for (std::size_t i = 0; i < WriteQueue::kPartsMax; ++i) {
    endpoint.box.push(frame("m"));
    queue.push(frame("p"));
  }
  EXPECT_EQ(write(kNoBound).size(), WriteQueue::kPartsMax * 3);
  EXPECT_EQ(parts.size(), WriteQueue::kPartsMax);
  EXPECT_EQ(endpoint.sent, 0);
  EXPECT_EQ(write(kNoBound).size(), WriteQueue::kPartsMax * 3);
  EXPECT_EQ(endpoint.sent, static_cast<int>(WriteQueue::kPartsMax));
}

TEST_F(Queue, frames_are_shared_and_not_copied) {
  const FrameRef shared = frame("shared");
  endpoint.box.push(shared);
  gather();
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].iov_base, shared->wire().data());
}

TEST_F(Queue, frames_are_let_go_when_they_are_out) {
  const std::int64_t before = Frame::alive();
  endpoint.box.push(frame("message"));
  queue.push(frame("pong"));
  write(3);
  write(kNoBound);
  EXPECT_EQ(Frame::alive(), before);
}

// The whole order, as one sentence: finish what is begun, then uncounted frames, then the outbox.
struct Model {
  std::deque<std::string> uncounted;
  std::deque<std::string> outbox;
  std::string begun;

  std::string take(std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) {
      if (begun.empty()) {
        auto& from = uncounted.empty() ? outbox : uncounted;
        if (from.empty()) break;
        begun = std::move(from.front());
        from.pop_front();
      }
      const std::size_t size = std::min(begun.size(), bytes - out.size());
      out += begun.substr(0, size);
      begun.erase(0, size);
    }
    return out;
  }
};

TEST_F(Queue, whatever_is_pushed_and_however_little_is_taken_the_stream_is_the_models) {
  SeededRng rng(7);
  Model model;
  int number = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::string text = std::to_string(number++) + std::string(rng.below(300), 'x');
    const std::uint64_t what = rng.below(6);
    if (what == 0 || what == 1) {
      endpoint.box.push(frame(text));
      model.outbox.push_back(wire_of(text));
    } else if (what == 2) {
      queue.push(frame(text));
      model.uncounted.push_back(wire_of(text));
    } else {
      const std::size_t taken = static_cast<std::size_t>(rng.below(1 + rng.below(2000)));
      const std::string out = write(taken, true, 1 + static_cast<std::size_t>(rng.below(4000)));
      ASSERT_EQ(out, model.take(out.size())) << "step " << step;
      ASSERT_EQ(queue.mid_frame(), !model.begun.empty());
    }
    std::size_t waiting = 0;
    for (const std::string& one : model.uncounted) waiting += one.size();
    ASSERT_GE(queue.uncounted_bytes(), waiting);
  }
  std::string rest;
  for (std::string out; !(out = write(kNoBound)).empty();) rest += out;
  EXPECT_EQ(rest, model.take(kNoBound));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(endpoint.box.unsent(), 0U);
}

// --- Private encodings: a peer that keeps its context gets its own compressed frames, each made once and in
// order.

TEST_F(Queue, private_compressed_frames_keep_context_and_order_through_partial_writes) {
  wire::DeflateParams params;
  params.server_no_context_takeover = false;
  const wire::DeflateSettings settings{.context_takeover = true, .size_min = 64};
  wire::Deflater shard(1, 15, false);
  MessageCoder coder(params, shard, settings);
  SeededRng rng(3);
  std::vector<std::string> sent;
  std::string stream;
  for (int step = 0; step < 3000; ++step) {
    if (rng.below(3) == 0) {
      std::string text = "message " + std::to_string(step);
      // Some below size_min, some that compress well, some that do not compress at all.
      if (rng.below(3) == 0) text += std::string(500, 'y');
      if (rng.below(3) == 0)
        for (int i = 0; i < 300; ++i) text += static_cast<char>('!' + rng.below(90));
      endpoint.box.push(frame(text));
      sent.push_back(text);
    } else {
      stream += write(static_cast<std::size_t>(rng.below(400)), true,
                      1 + static_cast<std::size_t>(rng.below(2000)), &coder);
    }
  }
  for (std::string out; !(out = write(kNoBound, true, kNoBound, &coder)).empty();) stream += out;
  wire::Inflater client(15, true);
  std::size_t n = 0;
  for (std::string_view rest = stream; !rest.empty(); rest.remove_prefix(frame_size(rest)), ++n) {
    ASSERT_LT(n, sent.size());
    ASSERT_EQ(inflated(client, rest.substr(0, frame_size(rest))), sent[n]) << "message " << n;
  }
  EXPECT_EQ(n, sent.size());
}

TEST_F(Queue, one_compressed_frame_serves_all_peers_without_context) {
  const wire::DeflateSettings settings;
  wire::Deflater shard(1, 15, false);
  const FrameRef shared = frame(std::string(2000, 'z'));
  const void* first = nullptr;
  for (int peer = 0; peer < 3; ++peer) {
    MessageCoder coder({}, shard, settings);
    WriteQueue own;
    OutboxEndpoint other;
    other.box.push(shared);
    parts.clear();
    own.gather(&other.box, true, &coder, kNoBound, parts);
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_LT(parts[0].iov_len, 200U);
    if (!first) first = parts[0].iov_base;
    EXPECT_EQ(parts[0].iov_base, first);
  }
}

}  // namespace
}  // namespace hubbub
