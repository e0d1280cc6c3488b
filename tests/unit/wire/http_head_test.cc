// Promises of wire/http_head.h: heads whole, byte by byte and randomly cut; every refusal; targets;
// responses.
#include "hubbub/wire/http_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hubbub/base/rng.h"

namespace hubbub::wire {
namespace {

using namespace std::literals;
using Status = HttpParse::Status;

constexpr std::size_t kHeadMax = 8 * 1024;

std::string head(std::string_view fields, std::string_view request_line = "GET / HTTP/1.1") {
  std::string text(request_line);
  text += "\r\nHost: h\r\n";
  text += fields;
  return text + "\r\n";
}

// Gives the parser growing prefixes, longer by what `step` says, until it decides.
template <class Step>
HttpParse parse_cut(std::string_view text, std::size_t limit, Step step) {
  for (std::size_t size = 0;;) {
    HttpParse parse = parse_http_head(text.substr(0, size), limit);
    if (parse.status != Status::need_more || size == text.size()) return parse;
    size = std::min(text.size(), size + step());
  }
}

void expect_same(const HttpParse& a, const HttpParse& b, std::string_view text) {
  EXPECT_EQ(a.status, b.status) << text;
  EXPECT_EQ(a.head_bytes, b.head_bytes) << text;
  EXPECT_EQ(a.error.code, b.error.code) << text;
  EXPECT_EQ(a.error.detail, b.error.detail) << text;
  EXPECT_EQ(a.request.headers, b.request.headers) << text;
  EXPECT_EQ(a.request.target, b.request.target) << text;
}

// The outcome for the whole text, after checking that every way to cut it gives the same.
HttpParse parse(std::string_view text, std::size_t limit = kHeadMax) {
  HttpParse whole = parse_http_head(text, limit);
  expect_same(whole, parse_cut(text, limit, [] { return std::size_t{1}; }), text);
  SeededRng rng(text.size());
  for (int round = 0; round < 5; ++round)
    expect_same(whole, parse_cut(text, limit, [&] { return static_cast<std::size_t>(1 + rng.below(40)); }),
                text);
  return whole;
}

void expect_refused(std::string_view text, std::string_view mentions) {
  const HttpParse result = parse(text);
  ASSERT_EQ(result.status, Status::error) << text;
  EXPECT_EQ(result.error.code, Errc::bad_request) << text;
  EXPECT_NE(result.error.detail.find(mentions), std::string::npos) << text << " -> " << result.error.detail;
}

TEST(HttpHead, a_browser_upgrade_is_read_in_full) {
  const std::string text =
      "GET /ws?session=happy-panda-42 HTTP/1.1\r\nHost: example.com:8080\r\nConnection: keep-alive, "
      "Upgrade\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Origin:\thttps://example.com \r\nX-Empty:\r\n\r\n";
  const HttpParse result = parse(text + "frames follow");
  ASSERT_EQ(result.status, Status::complete);
  EXPECT_EQ(result.head_bytes, text.size());
  const HttpRequest& request = result.request;
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/ws?session=happy-panda-42");
  EXPECT_EQ(request.path, "/ws");
  EXPECT_EQ(request.query, "session=happy-panda-42");
  EXPECT_EQ(request.query_param("session"), "happy-panda-42");
  EXPECT_EQ(request.version, 11);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(request.header("origin"), "https://example.com");
  EXPECT_EQ(request.header("x-empty"), "");
  EXPECT_EQ(request.count("x-empty"), 1U);
  EXPECT_EQ(request.header("absent"), "");
  EXPECT_EQ(request.headers.front().first, "host");
}

TEST(HttpHead, needs_more_until_the_empty_line) {
  const std::string text = head("A: b\r\n");
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(parse_http_head(std::string_view(text).substr(0, size), kHeadMax).status, Status::need_more)
        << size;
  EXPECT_EQ(parse_http_head(text, kHeadMax).status, Status::complete);
}

TEST(HttpHead, repeated_headers_are_joined_in_order) {
  const HttpParse result = parse(head("Accept: a\r\nX: 1\r\naccept: b\r\nACCEPT:\r\n"));
  ASSERT_EQ(result.status, Status::complete);
  EXPECT_EQ(result.request.header("accept"), "a, b, ");
  EXPECT_EQ(result.request.count("accept"), 3U);
}

TEST(HttpHead, one_empty_line_before_the_request_is_skipped) {
  const std::string text = "\r\n" + head("");
  const HttpParse result = parse(text);
  ASSERT_EQ(result.status, Status::complete);
  EXPECT_EQ(result.head_bytes, text.size());
  expect_refused("\r\n\r\n" + head(""), "method");
}

TEST(HttpHead, keep_alive_follows_version_and_connection) {
  const auto keeps = [](std::string_view text) { return parse(text).request.keep_alive; };
  EXPECT_TRUE(keeps(head("")));
  EXPECT_FALSE(keeps(head("Connection: close\r\n")));
  EXPECT_FALSE(keeps(head("", "GET / HTTP/1.0")));
  EXPECT_TRUE(keeps(head("Connection: Keep-Alive\r\n", "GET / HTTP/1.0")));
}

TEST(HttpHead, body_length_is_told_and_not_limited_here) {
  EXPECT_EQ(parse(head("Content-Length: 17\r\n", "POST /rpc HTTP/1.1")).request.content_length, 17U);
  EXPECT_EQ(parse(head("Content-Length: 99999999999\r\n", "POST /rpc HTTP/1.1")).request.content_length,
            99'999'999'999U);
  EXPECT_EQ(parse(head("Content-Length: 5\r\nContent-Length: 5\r\n")).request.content_length, 5U);
  const HttpParse chunked = parse(head("Transfer-Encoding: Chunked\r\n", "POST /rpc HTTP/1.1"));
  EXPECT_TRUE(chunked.request.chunked);
  EXPECT_EQ(chunked.request.content_length, 0U);
}

TEST(HttpHead, limit_is_exact) {
  const std::string text = head("X: " + std::string(500, 'x') + "\r\n");
  EXPECT_EQ(parse(text, text.size()).status, Status::complete);
  EXPECT_EQ(parse(text + "body", text.size()).status, Status::complete);
  const HttpParse over = parse(text, text.size() - 1);
  ASSERT_EQ(over.status, Status::error);
  EXPECT_EQ(over.error.code, Errc::head_too_large);
  EXPECT_EQ(over.error.limit, "limits.head_bytes");
  EXPECT_NE(over.error.detail.find(std::to_string(text.size() - 1)), std::string::npos);
}

TEST(HttpHead, too_long_lines_are_head_too_large) {
  EXPECT_EQ(parse("GET /" + std::string(kHeadMax, 'a')).error.code, Errc::head_too_large);
  const HttpParse line = parse_http_head(head("X: " + std::string(70'000, 'x') + "\r\n"), 1 << 20);
  EXPECT_EQ(line.error.code, Errc::head_too_large);
  const HttpParse target =
      parse_http_head(head("", "GET /" + std::string(70'000, 'x') + " HTTP/1.1"), 1 << 20);
  EXPECT_EQ(target.error.code, Errc::head_too_large);
}

TEST(HttpHead, what_cannot_be_a_request_is_refused_at_once) {
  expect_refused("\x16\x03\x01\x02\x00\x01"sv, "TLS");
  expect_refused("\x80\x2e", "method");
  expect_refused("{\"jsonrpc\"", "method");
  expect_refused(" GET", "method");
  expect_refused("\0\0\0\0"sv, "method");
  expect_refused(std::string(40, 'A'), "too long");
  expect_refused("GET /\r\n", "request line");
}

TEST(HttpHead, bad_request_lines_are_refused) {
  expect_refused(head("", "GET / HTTP/2.0"), "version");
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version");
  expect_refused(head("", "GET / HTTP/0.9"), "version");
  expect_refused(head("", "GET / http/1.1"), "request line");
  expect_refused(head("", "GET  / HTTP/1.1"), "target");
  expect_refused(head("", "GET /a b HTTP/1.1"), "version");
  expect_refused(head("", "GET /\x01 HTTP/1.1"), "control");
  expect_refused(head("", "GET / HTTP/1.1 "), "version");
}

TEST(HttpHead, bad_line_endings_are_refused) {
  expect_refused("GET / HTTP/1.1\nHost: h\n\n", "LF without CR");
  expect_refused("GET / HTTP/1.1\r\nHost: h\n\r\n", "LF without CR");
  expect_refused(head("X: a\rb\r\n"), "control");
}

TEST(HttpHead, bad_headers_are_refused) {
  expect_refused(head("Na me: x\r\n"), "name");
  expect_refused(head("Name : x\r\n"), "name");
  expect_refused(head(": x\r\n"), "name");
  expect_refused(head("Name\r\n"), "name");
  expect_refused(head("X: a\0b\r\n"sv), "control");
  expect_refused(head("X: a\x7F\r\n"), "control");
  expect_refused(head("X: a\r\n b\r\n"), "folded");
  expect_refused(head("X: a\r\n\tb\r\n"), "folded");
  expect_refused("GET / HTTP/1.1\r\n Host: h\r\n\r\n", "folded");
}

TEST(HttpHead, host_must_stand_once_and_be_a_host) {
  expect_refused("GET / HTTP/1.1\r\n\r\n", "Host header is missing");
  expect_refused(head("Host: h\r\n"), "more than once");
  expect_refused("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "not a host");
  expect_refused("GET / HTTP/1.1\r\nHost: user@h\r\n\r\n", "not a host");
  expect_refused("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "not a host");
  EXPECT_EQ(parse("GET / HTTP/1.0\r\n\r\n").status, Status::complete);
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost:\r\n\r\n").status, Status::complete);
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").status, Status::complete);
}

TEST(HttpHead, ambiguous_body_lengths_are_refused) {
  expect_refused(head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "Transfer-Encoding");
  expect_refused(head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "Content-Length");
  expect_refused(head("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"), "chunked");
  expect_refused(head("Content-Length: 5\r\nContent-Length: 6\r\n"), "Content-Length");
  expect_refused(head("Content-Length: 5, 6\r\n"), "Content-Length");
  expect_refused(head("Content-Length: -5\r\n"), "Content-Length");
  expect_refused(head("Content-Length: 0x5\r\n"), "Content-Length");
  expect_refused(head("Content-Length:\r\n"), "Content-Length");
  expect_refused(head("Content-Length: 99999999999999999999999\r\n"), "Content-Length");
  expect_refused(head("Transfer-Encoding: chunked, gzip\r\n"), "chunked");
  expect_refused(head("Transfer-Encoding: chunked, chunked\r\n"), "chunked");
  expect_refused(head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "twice");
  expect_refused(head("Transfer-Encoding: identity\r\n"), "chunked");
  expect_refused(head("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"), "HTTP/1.1");
}

TEST(HttpTarget, origin_and_absolute_form) {
  const auto path_query = [](std::string_view target) {
    const HttpParse result = parse(head("", "GET " + std::string(target) + " HTTP/1.1"));
    EXPECT_EQ(result.status, Status::complete) << target << result.error.detail;
    return std::pair(result.request.path, result.request.query);
  };
  EXPECT_EQ(path_query("/"), std::pair("/"s, ""s));
  EXPECT_EQ(path_query("/a%20b/%C3%a9?x=%20&y"), std::pair("/a b/\xC3\xA9"s, "x=%20&y"s));
  EXPECT_EQ(path_query("/?"), std::pair("/"s, ""s));
  EXPECT_EQ(path_query("/a?b?c"), std::pair("/a"s, "b?c"s));
  EXPECT_EQ(path_query("//host/a"), std::pair("//host/a"s, ""s));
  EXPECT_EQ(path_query("http://example.com/ws?a=1"), std::pair("/ws"s, "a=1"s));
  EXPECT_EQ(path_query("WSS://example.com"), std::pair("/"s, ""s));
  EXPECT_EQ(path_query("http://example.com?a"), std::pair("/"s, "a"s));
}

TEST(HttpTarget, asterisk_is_for_options_only) {
  EXPECT_EQ(parse(head("", "OPTIONS * HTTP/1.1")).request.path, "*");
  expect_refused(head("", "GET * HTTP/1.1"), "target");
}

TEST(HttpTarget, bad_targets_are_refused) {
  for (const std::string target : {"example.com:443", "ws", "ftp://h/", "http:///a", "://h/", "/%", "/%4",
                                   "/%zz", "/?a=%g0", "/%00", "/a#b", "/\xC3\xA9"})
    expect_refused(head("", "GET " + target + " HTTP/1.1"), "target");
}

TEST(HttpTarget, query_parameters_are_decoded) {
  HttpRequest request;
  request.query = "a=1&b=x%20y%26&%63=3&a=2&empty=&flag&=nameless&bad=%z&eq=a=b";
  EXPECT_EQ(request.query_param("a"), "1");
  EXPECT_EQ(request.query_param("b"), "x y&");
  EXPECT_EQ(request.query_param("c"), "3");
  EXPECT_EQ(request.query_param("eq"), "a=b");
  for (const auto name : {"empty", "flag", "absent", "bad", "y&"})
    EXPECT_EQ(request.query_param(name), "") << name;
  EXPECT_EQ(request.query_param(""), "nameless");
  request.query = "&&=&";
  EXPECT_EQ(request.query_param("a"), "");
}

TEST(HttpResponse, bytes_are_exact) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.headers.emplace_back("X-A", "1");
  response.body = "hello";
  const std::string top =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nContent-Length: 5\r\nConnection: "
      "keep-alive\r\n\r\n";
  EXPECT_EQ(format_http_response(response), top + "hello");
  EXPECT_EQ(format_http_response(response, true), top);
}

TEST(HttpResponse, statuses_without_content_say_no_length) {
  HttpResponse response;
  response.status = 204;
  response.keep_alive = false;
  EXPECT_EQ(format_http_response(response), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST(HttpResponse, header_values_cannot_begin_headers) {
  HttpResponse response;
  response.headers.emplace_back("X", "a\r\nSet-Cookie: b");
  EXPECT_NE(format_http_response(response).find("X: a  Set-Cookie: b\r\n"), std::string::npos);
}

TEST(HttpResponse, every_status_of_the_error_table_has_a_reason) {
  for (int code = 0; code < static_cast<int>(Errc::count_); ++code) {
    const ErrorInfo& info = error_info(static_cast<Errc>(code));
    if (info.http_status == 0) continue;
    EXPECT_NE(http_reason(info.http_status), "Unknown") << info.name;
  }
  EXPECT_EQ(http_reason(799), "Unknown");
}

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

TEST(HttpRefusal, says_status_and_sentence_and_closes) {
  const HttpResponse response = http_refusal(fail(Errc::bad_request, "the Host header is missing").error());
  EXPECT_EQ(format_http_response(response),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 27\r\n"
            "Connection: close\r\n\r\nthe Host header is missing\n");
  EXPECT_EQ(http_refusal(fail(Errc::not_found).error()).body, "not found\n");
}

TEST(HttpRefusal, retry_after_is_in_whole_seconds) {
  const std::vector<std::pair<std::int64_t, std::string>> cases = {{-1, ""},    {0, "1"},    {1, "1"},
                                                                   {1000, "1"}, {1001, "2"}, {59'999, "60"}};
  for (const auto& [ms, expected] : cases) {
    Error error = fail(Errc::node_full).error();
    error.retry_after_ms = ms;
    const HttpResponse response = http_refusal(error);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(header_of(response, "Retry-After"), expected) << ms;
  }
}

TEST(HttpRefusal, statuses_carry_the_headers_http_asks_for) {
  const HttpResponse upgrade = http_refusal(fail(Errc::upgrade_required).error());
  EXPECT_EQ(upgrade.status, 426);
  EXPECT_EQ(header_of(upgrade, "Sec-WebSocket-Version"), "13");
  EXPECT_NE(format_http_response(upgrade).find("Connection: close, Upgrade\r\n"), std::string::npos);
  EXPECT_EQ(header_of(http_refusal(fail(Errc::method_not_allowed).error()), "Allow"), "GET");
  EXPECT_EQ(header_of(http_refusal(fail(Errc::unauthenticated).error()), "WWW-Authenticate"), "Bearer");
}

TEST(HttpRefusal, inner_errors_and_errors_without_status_are_500) {
  const HttpResponse inner = http_refusal(fail(Errc::internal_error, "secret").error());
  EXPECT_EQ(inner.status, 500);
  EXPECT_EQ(inner.body.find("secret"), std::string::npos);
  EXPECT_EQ(http_refusal(fail(Errc::no_pong).error()).status, 500);
}

}  // namespace
}  // namespace hubbub::wire
