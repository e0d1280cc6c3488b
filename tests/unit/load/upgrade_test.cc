#include "hubbub/load/upgrade.h"

#include <gtest/gtest.h>

#include "hubbub/load/text_argument.h"
#include "hubbub/load/url.h"

namespace hubbub::load {
namespace {

const std::string kGood =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nSEC-WebSocket-Accept:  "
    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::string refusal(const UpgradeSettings& settings, const std::string& head, std::string_view body = "") {
  const auto checked = check_upgrade(settings, head, body);
  return checked ? "" : checked.error();
}

TEST(Upgrade, request_carries_what_was_asked_for) {
  const std::string request = upgrade_request({{"X-Team: 7"}, "hubbub.v1", true}, "host:81", "/ws?a=b");
  EXPECT_TRUE(request.starts_with("GET /ws?a=b HTTP/1.1\r\nHost: host:81\r\n"));
  for (const char* line : {"\r\nX-Team: 7\r\n", "\r\nSec-WebSocket-Protocol: hubbub.v1\r\n",
                           "permessage-deflate; server_no_context_takeover"})
    EXPECT_NE(request.find(line), std::string::npos) << line;
  EXPECT_TRUE(request.ends_with("\r\n\r\n"));
}

TEST(Upgrade, takes_a_good_answer_whatever_the_case_of_its_headers) { EXPECT_EQ(refusal({}, kGood), ""); }

TEST(Upgrade, tells_what_the_server_said) {
  const std::string text =
      refusal({}, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1", "limits.ip_connections");
  EXPECT_NE(text.find("429 Too Many Requests"), std::string::npos);
  EXPECT_NE(text.find("limits.ip_connections"), std::string::npos);
}

TEST(Upgrade, refuses_what_would_measure_something_else) {
  const UpgradeSettings v1{{}, "hubbub.v1", false};
  const UpgradeSettings deflate{{}, "", true};
  const std::string extension = "\r\nSec-WebSocket-Extensions: permessage-deflate";
  EXPECT_NE(refusal({}, "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: wrong"), "");
  EXPECT_NE(refusal(v1, kGood), "");
  EXPECT_EQ(refusal(v1, kGood + "\r\nSec-WebSocket-Protocol: hubbub.v1"), "");
  EXPECT_NE(refusal(deflate, kGood), "");
  EXPECT_NE(refusal(deflate, kGood + extension), "");
  EXPECT_EQ(refusal(deflate, kGood + extension + "; server_no_context_takeover"), "");
  EXPECT_NE(refusal({}, kGood + extension), "");
}

TEST(Url, is_taken_apart) {
  const auto url = parse_url("ws://example.com:8080/ws?x=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->target, "/ws?x=1");
  EXPECT_EQ(url->authority(), "example.com:8080");
  EXPECT_EQ(parse_url("ws://host")->target, "/");
  EXPECT_EQ(parse_url("ws://host")->port, 80);
  EXPECT_EQ(parse_url("ws://host?x")->target, "/?x");
  EXPECT_EQ(parse_url("ws://[::1]:9/a")->authority(), "[::1]:9");
}

TEST(Url, is_refused_with_a_reason) {
  for (const char* text : {"", "http://x", "wss://x", "ws://", "ws://:80/", "ws://x:0", "ws://x:70000",
                           "ws://x:a", "ws://[::1", "ws://[::1]x", "ws://x/a b"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_FALSE(url.error().empty());
  }
}

TEST(TextArgument, stands_for_bytes_only_with_escapes) {
  EXPECT_EQ(read_text(R"(a\r\n\x41\\\0)", true), std::string("a\r\nA\\\0", 6));
  EXPECT_EQ(read_text(R"({"a":"\n"})", false), R"({"a":"\n"})");
  for (const char* bad : {R"(\)", R"(\q)", R"(\x4)", R"(\xzz)"}) EXPECT_FALSE(read_text(bad, true)) << bad;
  EXPECT_FALSE(read_text("@/nonexistent/file", false));
}

}  // namespace
}  // namespace hubbub::load
