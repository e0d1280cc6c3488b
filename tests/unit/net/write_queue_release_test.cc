// What stays with a connection when the outbox it was writing is taken away: the frame that is half on the
// wire, and whatever was encoded for this connection alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hubbub/base/rng.h"
#include "tests/unit/net/write_queue_fixture.h"

namespace hubbub {
namespace {

using test::frame;
using test::frame_size;
using test::inflated;
using test::kNoBound;
using test::Queue;
using test::wire_of;

TEST_F(Queue, released_a_half_written_frame_is_finished_without_its_outbox) {
  endpoint.box.push(frame("first message"));
  endpoint.box.push(frame("second"));
  const std::string begun = write(5);
  queue.release(endpoint.box, nullptr, true);
  serving = nullptr;
  EXPECT_TRUE(queue.mid_frame());
  queue.push(frame("close"));
  EXPECT_EQ(begun + write(kNoBound), wire_of("first message") + wire_of("close"));
  EXPECT_EQ(endpoint.sent, 0) << "its outbox still has to send it, elsewhere";
  EXPECT_EQ(endpoint.box.unsent(), 2U);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.uncounted_bytes(), 0U);
}

TEST_F(Queue, released_the_frame_lives_on_when_its_outbox_dies) {
  const std::int64_t before = Frame::alive();
  auto doomed = std::make_unique<Outbox>();
  doomed->push(frame("first message"));
  parts.clear();
  queue.gather(doomed.get(), true, nullptr, kNoBound, parts);
  queue.written(5, parts, nullptr);
  queue.release(*doomed, nullptr, false);
  doomed.reset();
  serving = nullptr;
  EXPECT_EQ(write(kNoBound), wire_of("first message").substr(5));
  EXPECT_EQ(Frame::alive(), before);
}

TEST_F(Queue, released_it_goes_on_with_another_outbox_behind_the_half_frame_and_the_uncounted) {
  endpoint.box.push(frame("first message"));
  const std::string begun = write(5);
  queue.release(endpoint.box, nullptr, true);
  queue.push(frame("answer"));
  next.box.push(frame("other"));
  serving = &next;
  EXPECT_EQ(begun + write(kNoBound), wire_of("first message") + wire_of("answer") + wire_of("other"));
  EXPECT_EQ(next.sent, 1);
}

TEST_F(Queue, released_between_frames_nothing_of_the_outbox_is_written) {
  endpoint.box.push(frame("first"));
  endpoint.box.push(frame("second"));
  queue.push(frame("pong"));
  EXPECT_EQ(write(wire_of("pong").size() + wire_of("first").size()), wire_of("pong") + wire_of("first"));
  queue.release(endpoint.box, nullptr, true);
  serving = nullptr;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(write(kNoBound), "");
}

TEST_F(Queue, released_a_half_written_uncounted_frame_stays_first) {
  endpoint.box.push(frame("first"));
  queue.push(frame("pong"));
  const std::string begun = write(2);
  queue.release(endpoint.box, nullptr, true);
  serving = nullptr;
  EXPECT_EQ(begun + write(kNoBound), wire_of("pong"));
}

// An outbox whose messages 2 and 3 are announced as missing.
void push_with_gap(Outbox& box) {
  for (const std::string_view text : {"first message", "b", "c", "the fourth"})
    box.push(frame(text), text.size() == 1 ? Lane::message : Lane::reply);
  EXPECT_TRUE(box.drop_oldest());
  EXPECT_TRUE(box.drop_oldest());
  const auto refill = [](Origin) { return FrameRef(); };
  const auto gap = [](std::uint64_t, std::uint64_t, bool) { return frame("announcement"); };
  EXPECT_TRUE(box.resume(0, refill, gap).gaps);
}

TEST_F(Queue, an_announcement_is_one_frame_whatever_little_the_socket_takes) {
  for (std::size_t most = 1; most < 40; ++most) {
    WriteQueue own;
    test::OutboxEndpoint peer;
    push_with_gap(peer.box);
    std::string stream;
    for (int turn = 0; turn < 100; ++turn) {
      parts.clear();
      own.gather(&peer.box, true, nullptr, kNoBound, parts);
      std::string out;
      for (const iovec& part : parts) out.append(static_cast<const char*>(part.iov_base), part.iov_len);
      out.resize(std::min(out.size(), most));
      own.written(out.size(), parts, &peer);
      stream += out;
    }
    EXPECT_EQ(stream, wire_of("first message") + wire_of("announcement") + wire_of("the fourth"));
    EXPECT_EQ(peer.box.sent(), 4U);
    EXPECT_EQ(peer.sent, 3);
  }
}

wire::DeflateParams with_context() {
  wire::DeflateParams params;
  params.server_no_context_takeover = false;
  return params;
}

// A compressed frame of a connection with context has changed what the next one is read with: it must be
// sent.
TEST_F(Queue, released_what_was_compressed_for_this_peer_alone_is_sent_and_what_follows_can_be_read) {
  const wire::DeflateSettings settings{.context_takeover = true, .size_min = 64};
  wire::Deflater shard(1, 15, false);
  MessageCoder coder(with_context(), shard, settings);
  const std::string big(500, 'y');
  push_with_gap(endpoint.box);
  for (const std::string& text : {big + "1", std::string("small"), big + "2"}) endpoint.box.push(frame(text));
  std::string stream = write(3, true, kNoBound, &coder);
  queue.release(endpoint.box, &coder, true);
  serving = &next;
  next.box.push(frame(big + "3"));
  for (std::string out; !(out = write(20, true, kNoBound, &coder)).empty();) stream += out;
  wire::Inflater client(15, true);
  std::vector<std::string> got;
  for (std::string_view rest = stream; !rest.empty(); rest.remove_prefix(frame_size(rest)))
    got.push_back(inflated(client, rest.substr(0, frame_size(rest))));
  EXPECT_EQ(got, (std::vector<std::string>{"first message", "announcement", "the fourth", big + "1", "small",
                                           big + "2", big + "3"}));
  EXPECT_EQ(next.sent, 1);
  EXPECT_EQ(queue.uncounted_bytes(), 0U);
}

// Its private frames may be there when the Close frame is half written already: none may come after it.
TEST_F(Queue, released_for_good_only_the_half_frame_is_finished) {
  const wire::DeflateSettings settings{.context_takeover = true, .size_min = 64};
  wire::Deflater shard(1, 15, false);
  MessageCoder coder(with_context(), shard, settings);
  for (const char fill : {'a', 'b', 'c'}) endpoint.box.push(frame(std::string(500, fill)));
  const std::string whole = gather(true, kNoBound, &coder);
  const std::string first = whole.substr(0, frame_size(whole));
  std::string stream = write(3, true, kNoBound, &coder);
  queue.push(frame("close"));
  stream += write(first.size(), false, kNoBound, &coder);  // and three bytes of the close
  queue.release(endpoint.box, &coder, false);
  serving = nullptr;
  EXPECT_EQ(stream + write(kNoBound), first + wire_of("close"));
  EXPECT_EQ(endpoint.sent, 1);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.uncounted_bytes(), 0U);
  WriteQueue other;
  test::OutboxEndpoint peer;
  for (const char fill : {'a', 'b'}) peer.box.push(frame(std::string(500, fill)));
  MessageCoder fresh(with_context(), shard, settings);
  parts.clear();
  other.gather(&peer.box, true, &fresh, kNoBound, parts);
  other.written(3, parts, &peer);
  other.release(peer.box, &fresh, false);
  parts.clear();
  other.gather(nullptr, false, &fresh, kNoBound, parts);
  EXPECT_EQ(parts.size(), 1U) << "the rest of the first";
}

// One connection whose outbox is taken away at some moment. Messages of the first are "A1 …", of the second
// "B1 …"; uncounted ones are "u …".
class Trial {
 public:
  Trial(SeededRng& rng, MessageCoder* coder) : rng_(rng), coder_(coder) {}

  void run() {
    for (int i = 1; i <= kMessages; ++i) first_.box.push(frame(text('A', i)));
    for (int i = 1; i <= kMessages; ++i) second_.box.push(frame(text('B', i)));
    for (std::uint64_t n = rng_.below(20); n > 0; --n) write(first_, rng_.below(400));
    queue_.release(first_.box, coder_, true);
    while (write(second_, 1 + rng_.below(400))) {
    }
    read();
    EXPECT_TRUE(queue_.empty());
    EXPECT_EQ(queue_.uncounted_bytes(), 0U);
    EXPECT_GE(count_['A'], first_.sent);
    EXPECT_EQ(count_['B'], kMessages);
    EXPECT_EQ(second_.sent, kMessages);
  }

 private:
  static constexpr int kMessages = 12;

  std::string text(char name, int number) {
    std::string out = name + std::to_string(number) + ' ';
    if (rng_.below(2) == 0) out += std::string(rng_.below(400), 'z');
    return out;
  }
  // False: there was nothing to write.
  bool write(test::OutboxEndpoint& from, std::size_t most) {
    if (rng_.below(10) == 0) queue_.push(frame("u" + std::string(rng_.below(90), 'z')));
    std::vector<iovec> parts;
    queue_.gather(&from.box, true, coder_, 1 + rng_.below(1500), parts);
    std::string out;
    for (const iovec& part : parts) out.append(static_cast<const char*>(part.iov_base), part.iov_len);
    out.resize(std::min(out.size(), most));
    queue_.written(out.size(), parts, &from);
    stream_ += out;
    return !parts.empty();
  }
  void read() {
    wire::Inflater client(15, true);
    for (std::string_view rest = stream_; !rest.empty(); rest.remove_prefix(frame_size(rest))) {
      const std::string got = inflated(client, rest.substr(0, frame_size(rest)));
      if (got.starts_with('u')) continue;
      EXPECT_EQ(std::stoi(got.substr(1)), ++count_[got[0]]) << "each once, in order";
      EXPECT_TRUE(got[0] == 'B' || count_['B'] == 0) << "the second outbox comes after the first";
    }
  }

  SeededRng& rng_;
  MessageCoder* coder_;
  WriteQueue queue_;
  test::OutboxEndpoint first_;
  test::OutboxEndpoint second_;
  std::string stream_;
  std::map<char, int> count_;
};

TEST(WriteQueueRelease, at_any_moment_leaves_a_stream_that_can_be_read_and_has_nothing_twice) {
  SeededRng rng(11);
  const wire::DeflateSettings settings{.context_takeover = true, .size_min = 64};
  wire::Deflater shard(1, 15, false);
  for (int round = 0; round < 400 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    MessageCoder shared({}, shard, settings);
    MessageCoder own(with_context(), shard, settings);
    Trial(rng, round % 3 == 0 ? nullptr : round % 3 == 1 ? &shared : &own).run();
  }
}

}  // namespace
}  // namespace hubbub
