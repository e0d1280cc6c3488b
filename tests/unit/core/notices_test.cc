#include "hubbub/core/notices.h"

#include <gtest/gtest.h>

#include "hubbub/base/version.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::Core;

TEST(Notices, carry_data_byte_for_byte) {
  EXPECT_EQ(
      session_message("happy-panda-1", R"({ "a" : 1.0, "a":"\u0062" })")->payload(),
      R"({"jsonrpc":"2.0","method":"session.message","params":{"from":"happy-panda-1","data":{ "a" : 1.0, "a":"\u0062" }}})");
  EXPECT_EQ(
      topic_message("t", 18446744073709551615u, "1e400")->payload(),
      R"({"jsonrpc":"2.0","method":"topic.message","params":{"topic":"t","offset":18446744073709551615,"data":1e400}})");
  EXPECT_EQ(hub_message("null")->payload(),
            R"({"jsonrpc":"2.0","method":"hub.message","params":{"data":null}})");
}

TEST(Notices, escape_what_is_text) {
  EXPECT_EQ(
      topic_message(R"(quo"te\)", 1, "1")->payload(),
      R"({"jsonrpc":"2.0","method":"topic.message","params":{"topic":"quo\"te\\","offset":1,"data":1}})");
}

TEST(Notices, are_whole_text_frames) {
  const FrameRef frame = hub_message("1");
  EXPECT_EQ(static_cast<unsigned char>(frame->wire()[0]), 0x81) << "FIN and text";
  EXPECT_EQ(static_cast<std::size_t>(frame->wire()[1]), frame->payload().size());
}

TEST(Notices, of_the_end_leave_out_a_retry_that_is_not_said) {
  EXPECT_EQ(closing_notice(1000, "bye", -1)->payload(),
            R"({"jsonrpc":"2.0","method":"session.closing","params":{"code":1000,"reason":"bye"}})");
  EXPECT_EQ(
      closing_notice(1012, "restart", 0)->payload(),
      R"({"jsonrpc":"2.0","method":"session.closing","params":{"code":1012,"reason":"restart","retry_after_ms":0}})");
  EXPECT_EQ(draining_notice(1500)->payload(),
            R"({"jsonrpc":"2.0","method":"session.draining","params":{"retry_after_ms":1500}})");
}

TEST(Notices, notification_without_params_has_none) {
  EXPECT_EQ(notification("x.y", "")->payload(), R"({"jsonrpc":"2.0","method":"x.y"})");
}

TEST(OpenedJson, tells_what_the_protocol_says) {
  Core core;
  const test::Client& client = core.connect();
  const Session::Identity& identity = client.session->identity();
  EXPECT_EQ(
      opened_json(*client.session, client.token, core.env),
      R"({"session":{"code":")" + client.code() + R"(","epoch":")" + identity.epoch + R"(","token":")" +
          client.token +
          R"(","ttl_ms":120000},"resumed":false,"sent":0,"received":0,)"
          R"("limits":{"message_bytes":65536,"batch_items":50,"topics":128,"rate_per_s":100,"ping_ms":25000,)"
          R"("replay":{"messages":1024,"bytes":262144,"ms":120000}},)"
          R"("server":{"name":"hubbub","version":")" +
          std::string(kVersion) + R"(","time":"2026-11-23T10:00:00.000Z"}})");
}

}  // namespace
}  // namespace hubbub
