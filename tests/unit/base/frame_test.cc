#include "hubbub/base/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace hubbub {
namespace {

TEST(Frame, holds_header_and_payload_in_one_piece) {
  const FrameRef frame = Frame::make("\x81\x05", "hello");
  EXPECT_EQ(frame->wire(), "\x81\x05hello");
  EXPECT_EQ(frame->payload(), "hello");
  EXPECT_EQ(frame->size(), 7u);
}

TEST(Frame, may_be_empty) {
  const FrameRef frame = Frame::make({}, {});
  EXPECT_EQ(frame->wire(), "");
  EXPECT_EQ(frame->payload(), "");
}

TEST(Frame, may_be_written_piece_by_piece) {
  FrameDraft draft("\x81\x05", 5);
  draft.append("he");
  draft.append("");
  draft.append("llo");
  EXPECT_EQ(draft.finish()->wire(), "\x81\x05hello");
}

TEST(Frame, a_draft_that_is_given_up_leaves_nothing) {
  const auto before = Frame::alive();
  {
    FrameDraft draft("h", 3);
    draft.append("ab");
    EXPECT_EQ(Frame::alive(), before + 1);
  }
  EXPECT_EQ(Frame::alive(), before);
}

TEST(Frame, copies_its_payload) {
  std::string text = "before";
  const FrameRef frame = Frame::make({}, text);
  text = "behind";
  EXPECT_EQ(frame->payload(), "before");
}

TEST(Frame, lives_as_long_as_its_last_reference) {
  const auto before = Frame::alive();
  {
    FrameRef first = Frame::make("h", "p");
    FrameRef second = first;
    EXPECT_EQ(first.get(), second.get());
    EXPECT_EQ(Frame::alive(), before + 1);
    first = {};
    EXPECT_FALSE(first);
    EXPECT_EQ(second->payload(), "p");
    FrameRef third = std::move(second);
    EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move): null after the move is the promise
    const FrameRef shared = FrameRef::share(third.get());
    third = {};
    EXPECT_EQ(shared->payload(), "p");
    EXPECT_EQ(Frame::alive(), before + 1);
  }
  EXPECT_EQ(Frame::alive(), before);
}

TEST(Frame, assigning_a_reference_to_itself_keeps_the_frame) {
  FrameRef frame = Frame::make({}, "x");
  const FrameRef& same = frame;
  frame = same;
  EXPECT_EQ(frame->payload(), "x");
}

TEST(Frame, keeps_its_compressed_twin_and_lets_it_go_with_itself) {
  const auto before = Frame::alive();
  {
    const FrameRef frame = Frame::make({}, "plain");
    EXPECT_EQ(frame->deflated(), nullptr);
    const Frame* twin = frame->set_deflated(Frame::make({}, "small"));
    EXPECT_EQ(frame->deflated(), twin);
    EXPECT_EQ(twin->payload(), "small");
    EXPECT_EQ(Frame::alive(), before + 2);
  }
  EXPECT_EQ(Frame::alive(), before);
}

TEST(Frame, a_twin_that_somebody_holds_outlives_the_frame) {
  FrameRef frame = Frame::make({}, "plain");
  const FrameRef held = FrameRef::share(frame->set_deflated(Frame::make({}, "small")));
  frame = {};
  EXPECT_EQ(held->payload(), "small");
}

TEST(Frame, the_first_twin_stays) {
  const auto before = Frame::alive();
  const FrameRef frame = Frame::make({}, "plain");
  const Frame* first = frame->set_deflated(Frame::make({}, "first"));
  EXPECT_EQ(frame->set_deflated(Frame::make({}, "second")), first);
  EXPECT_EQ(frame->deflated()->payload(), "first");
  EXPECT_EQ(Frame::alive(), before + 2);
}

TEST(Frame, that_does_not_compress_is_its_own_twin_and_still_dies) {
  const auto before = Frame::alive();
  {
    const FrameRef frame = Frame::make({}, "x");
    EXPECT_EQ(frame->set_deflated(frame), frame.get());
    EXPECT_EQ(frame->deflated(), frame.get());
  }
  EXPECT_EQ(Frame::alive(), before);
}

TEST(Frame, threads_share_it_and_agree_on_one_twin) {
  const auto before = Frame::alive();
  {
    FrameRef frame = Frame::make({}, "shared");
    std::vector<const Frame*> twins(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < twins.size(); ++i)
      threads.emplace_back([frame, i, &twins] {
        for (int copies = 0; copies < 1000; ++copies) {
          const FrameRef copy =
              frame;  // NOLINT(performance-unnecessary-copy-initialization): counting is the test
          EXPECT_EQ(copy->payload(), "shared");
        }
        twins[i] = frame->set_deflated(Frame::make({}, std::to_string(i)));
      });
    for (std::thread& thread : threads) thread.join();
    for (const Frame* twin : twins) EXPECT_EQ(twin, frame->deflated());
  }
  EXPECT_EQ(Frame::alive(), before);
}

}  // namespace
}  // namespace hubbub
