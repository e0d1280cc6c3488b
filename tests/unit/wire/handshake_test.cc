// Promises of wire/handshake.h: RFC 6455 section 4.2, server side.
#include "hubbub/wire/handshake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hubbub::wire {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kSampleKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 section 1.3

HttpRequest upgrade(const Headers& extra = {}) {
  HttpRequest request;
  request.method = "GET";
  request.target = request.path = "/ws";
  request.headers = {{"host", "h"},
                     {"connection", "keep-alive, Upgrade"},
                     {"upgrade", "websocket"},
                     {"sec-websocket-key", std::string(kSampleKey)},
                     {"sec-websocket-version", "13"}};
  request.headers.insert(request.headers.end(), extra.begin(), extra.end());
  return request;
}

HttpRequest with(std::string_view name, std::string_view value) {
  HttpRequest request = upgrade();
  for (auto& [key, old] : request.headers)
    if (key == name) old = value;
  return request;
}

HttpRequest without(std::string_view name) {
  HttpRequest request = upgrade();
  std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
  return request;
}

HandshakeSettings settings() {
  HandshakeSettings chosen;
  chosen.subprotocols = {"hubbub.v2", "hubbub.v1"};
  return chosen;
}

void expect_refused(const HttpRequest& request, Errc code, std::string_view mentions = {}) {
  const auto result = accept_handshake(request, settings());
  ASSERT_FALSE(result.has_value()) << mentions;
  EXPECT_EQ(result.error().code, code) << result.error().detail;
  EXPECT_NE(result.error().detail.find(mentions), std::string::npos) << result.error().detail;
}

std::string subprotocol(const Headers& extra) {
  const auto result = accept_handshake(upgrade(extra), settings());
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().detail);
  return result ? result->subprotocol : "refused";
}

TEST(Handshake, the_specification_sample_is_answered_byte_for_byte) {
  const auto result = accept_handshake(upgrade(), settings());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->response,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  EXPECT_EQ(result->subprotocol, "");
  EXPECT_FALSE(result->deflate);
}

TEST(Handshake, tokens_are_compared_without_case_and_found_in_lists) {
  for (const auto connection :
       {"upgrade", "UPGRADE", "close , upGrade", "Upgrade,keep-alive", ",,\tUpgrade\t,"})
    EXPECT_TRUE(accept_handshake(with("connection", connection), settings())) << connection;
  for (const auto value : {"WebSocket", "WEBSOCKET", "h2c, websocket"})
    EXPECT_TRUE(accept_handshake(with("upgrade", value), settings())) << value;
}

TEST(Handshake, a_token_may_stand_in_a_second_header_of_that_name) {
  HttpRequest request = with("connection", "keep-alive");
  request.headers.emplace_back("connection", "Upgrade");
  EXPECT_TRUE(accept_handshake(request, settings()));
}

TEST(Handshake, what_is_no_websocket_upgrade_gets_426) {
  HttpRequest plain = without("upgrade");
  std::erase_if(plain.headers, [](const auto& header) { return header.first == "sec-websocket-key"; });
  expect_refused(plain, Errc::upgrade_required);
  plain.headers.emplace_back("upgrade", "h2c");
  expect_refused(plain, Errc::upgrade_required);
  for (const auto version : {"8", "0", "14", "013", "13, 8", ""})
    expect_refused(with("sec-websocket-version", version), Errc::upgrade_required);
}

TEST(Handshake, wrong_methods_get_405) {
  HttpRequest request = upgrade();
  for (const auto method : {"POST", "HEAD", "get"}) {
    request.method = method;
    expect_refused(request, Errc::method_not_allowed);
  }
}

TEST(Handshake, each_missing_or_wrong_header_is_named) {
  expect_refused(without("upgrade"), Errc::bad_request, "Upgrade");
  expect_refused(with("upgrade", "websockets"), Errc::bad_request, "Upgrade");
  expect_refused(without("connection"), Errc::bad_request, "Connection");
  expect_refused(with("connection", "upgrade-insecure-requests"), Errc::bad_request, "Connection");
  expect_refused(without("sec-websocket-version"), Errc::bad_request, "Sec-WebSocket-Version");
  expect_refused(upgrade({{"sec-websocket-version", "13"}}), Errc::bad_request, "Sec-WebSocket-Version");
  expect_refused(without("sec-websocket-key"), Errc::bad_request, "Sec-WebSocket-Key");
  expect_refused(upgrade({{"sec-websocket-key", std::string(kSampleKey)}}), Errc::bad_request,
                 "Sec-WebSocket-Key");
}

TEST(Handshake, keys_must_be_16_bytes_in_base64) {
  for (const auto key : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZXg=",
                         "dGhlIHNhbXBsZS*ub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==, x"})
    expect_refused(with("sec-websocket-key", key), Errc::bad_request, "Sec-WebSocket-Key");
}

TEST(Handshake, http_1_0_and_bodies_are_refused) {
  HttpRequest request = upgrade();
  request.version = 10;
  expect_refused(request, Errc::bad_request, "HTTP/1.1");
  request = upgrade();
  request.content_length = 1;
  expect_refused(request, Errc::bad_request, "body");
  request = upgrade();
  request.chunked = true;
  expect_refused(request, Errc::bad_request, "body");
}

TEST(Handshake, subprotocol_is_the_first_of_ours_that_is_offered) {
  EXPECT_EQ(subprotocol({{"sec-websocket-protocol", "hubbub.v1"}}), "hubbub.v1");
  EXPECT_EQ(subprotocol({{"sec-websocket-protocol", "x, hubbub.v1 ,hubbub.v2"}}), "hubbub.v2");
  EXPECT_EQ(subprotocol({{"sec-websocket-protocol", "x"}, {"sec-websocket-protocol", "hubbub.v1"}}),
            "hubbub.v1");
  const auto result = accept_handshake(upgrade({{"sec-websocket-protocol", "hubbub.v1"}}), settings());
  ASSERT_TRUE(result);
  EXPECT_NE(result->response.find("\r\nSec-WebSocket-Protocol: hubbub.v1\r\n"), std::string::npos);
}

TEST(Handshake, unknown_subprotocols_are_not_answered) {
  EXPECT_EQ(subprotocol({{"sec-websocket-protocol", "x, y, HUBBUB.V1"}}), "");
  const auto result = accept_handshake(upgrade({{"sec-websocket-protocol", "x"}}), settings());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->response.find("Sec-WebSocket-Protocol"), std::string::npos);
}

TEST(Handshake, bad_subprotocol_lists_are_refused) {
  for (const auto list : {"", "a,", ",a", "a,,b", "a, a", "a,b,a"})
    expect_refused(upgrade({{"sec-websocket-protocol", list}}), Errc::bad_request, "Sec-WebSocket-Protocol");
  expect_refused(upgrade({{"sec-websocket-protocol", "a"}, {"sec-websocket-protocol", "a"}}),
                 Errc::bad_request, "Sec-WebSocket-Protocol");
}

TEST(Handshake, deflate_is_answered_where_offered_and_enabled) {
  const HttpRequest request =
      upgrade({{"sec-websocket-extensions", "permessage-deflate; client_max_window_bits"}});
  const auto agreed = accept_handshake(request, settings());
  ASSERT_TRUE(agreed);
  EXPECT_TRUE(agreed->deflate);
  EXPECT_NE(agreed->response.find("\r\nSec-WebSocket-Extensions: permessage-deflate"), std::string::npos);
  EXPECT_TRUE(agreed->response.ends_with("\r\n\r\n"));

  HandshakeSettings off = settings();
  off.deflate.enabled = false;
  const auto declined = accept_handshake(request, off);
  ASSERT_TRUE(declined);
  EXPECT_FALSE(declined->deflate);
  EXPECT_EQ(declined->response.find("Extensions"), std::string::npos);
}

TEST(Handshake, unknown_extensions_are_not_answered) {
  const auto result =
      accept_handshake(upgrade({{"sec-websocket-extensions", "x-webkit-deflate-frame"}}), settings());
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->deflate);
  EXPECT_EQ(result->response.find("Extensions"), std::string::npos);
}

TEST(HasToken, compares_whole_elements) {
  EXPECT_TRUE(has_token("a, B ,c", "b"));
  EXPECT_TRUE(has_token("b", "B"));
  EXPECT_FALSE(has_token("ab, bc", "b"));
  EXPECT_FALSE(has_token("", "b"));
  EXPECT_FALSE(has_token("b c", "b"));
}

}  // namespace
}  // namespace hubbub::wire
