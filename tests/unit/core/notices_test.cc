#include "hubbub/core/notices.h"

#include <gtest/gtest.h>

#include "hubbub/base/version.h"
#include "hubbub/core/session_opening.h"
#include "tests/unit/core/core_fixture.h"

namespace hubbub {
namespace {

using test::at;
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

TEST(Notices, of_resuming_tell_counts_and_what_is_missing) {
  EXPECT_EQ(ack_notice(18446744073709551615u)->payload(),
            R"({"jsonrpc":"2.0","method":"session.ack","params":{"received":18446744073709551615}})");
  EXPECT_EQ(
      gap_notice(3, 7, true)->payload(),
      R"({"jsonrpc":"2.0","method":"session.gap","params":{"missing":{"from":3,"to":7,"replies":true}}})");
  EXPECT_EQ(
      gap_notice(3, 3, false)->payload(),
      R"({"jsonrpc":"2.0","method":"session.gap","params":{"missing":{"from":3,"to":3,"replies":false}}})");
}

TEST(Notices, of_a_publication_know_where_they_come_from) {
  const Origin origin = topic_message("t", 9, "1", 4)->origin();
  EXPECT_EQ(origin.topic, 4u);
  EXPECT_EQ(origin.offset, 9u);
  EXPECT_EQ(hub_message("1")->origin().topic, 0u);
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
          R"("limits":{"message_bytes":65536,"batch_items":50,"topics":128,"rate_per_s":100,"rate_burst":200,"ping_ms":25000,)"
          R"("replay":{"messages":1024,"bytes":262144,"ms":120000}},)"
          R"("server":{"name":"hubbub","version":")" +
          std::string(kVersion) + R"(","time":"2026-11-23T10:00:00.000Z"}})");
}

TEST(ResumedJson, tells_what_the_protocol_says) {
  Core core;
  const test::Client& client = core.connect();
  const auto resumed = [&](const Outbox::Replay& replay) {
    return resumed_json(*client.session, "token", 2, replay, core.env);
  };
  const std::string whole = resumed({.from_ring = 3, .from_history = 1});
  EXPECT_EQ(at(whole, "/session/token"), R"("token")");
  EXPECT_EQ(at(whole, "/resumed"), "true");
  EXPECT_EQ(at(whole, "/recovered"), "true");
  EXPECT_EQ(at(whole, "/missing"), "absent");
  EXPECT_EQ(at(whole, "/replayed"), R"({"ring":3,"history":1})");
  EXPECT_EQ(at(resumed({.gaps = true}), "/recovered"), "false");
  const std::string missing = resumed({.missing_to = 5, .missing_replies = true});
  EXPECT_EQ(at(missing, "/recovered"), "false");
  EXPECT_EQ(at(missing, "/missing"), R"({"from":3,"to":5,"replies":true})");
}

}  // namespace
}  // namespace hubbub
