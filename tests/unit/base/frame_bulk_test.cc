#include "hubbub/base/frame_bulk.h"

#include <gtest/gtest.h>

#include <vector>

namespace hubbub {
namespace {

FrameRef frame() { return Frame::make({}, "text"); }

TEST(FrameBundle, gives_references_that_keep_the_frame_and_takes_back_the_rest) {
  const std::int64_t before = Frame::alive();
  FrameRef first = frame();
  FrameRef taken;
  {
    FrameBundle bundle(first, 3);
    taken = bundle.take();
    first = {};
    EXPECT_EQ(taken->payload(), "text");
  }
  EXPECT_EQ(Frame::alive(), before + 1);
  taken = {};
  EXPECT_EQ(Frame::alive(), before);
}

TEST(ReleaseScope, frames_go_when_it_ends_and_without_one_at_once) {
  const std::int64_t before = Frame::alive();
  ReleaseScope::release(frame().release());
  EXPECT_EQ(Frame::alive(), before);
  {
    const ReleaseScope scope;
    ReleaseScope::release(frame().release());
    EXPECT_EQ(Frame::alive(), before + 1);
  }
  EXPECT_EQ(Frame::alive(), before);
}

TEST(ReleaseScope, however_many_frames_and_references_all_go) {
  const std::int64_t before = Frame::alive();
  std::vector<FrameRef> frames;
  for (int i = 0; i < 500; ++i) frames.push_back(frame());
  {
    const ReleaseScope outer;
    for (const FrameRef& one : frames) ReleaseScope::release(FrameRef(one).release());
    {
      const ReleaseScope inner;
      for (int round = 0; round < 3; ++round)
        for (const FrameRef& one : frames) ReleaseScope::release(FrameRef(one).release());
    }
    for (FrameRef& one : frames) ReleaseScope::release(one.release());
  }
  EXPECT_EQ(Frame::alive(), before);
}

}  // namespace
}  // namespace hubbub
