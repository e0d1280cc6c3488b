#include "hubbub/core/access.h"

#include <gtest/gtest.h>

namespace hubbub {
namespace {

TEST(AccessMethods, are_all_allowed_while_nothing_is_configured) {
  const AccessRules rules;
  EXPECT_FALSE(rules.configured());
  EXPECT_TRUE(rules.method_allowed("hub.broadcast"));
  EXPECT_TRUE(rules.method_allowed("ping"));
}

TEST(AccessMethods, are_refused_unless_a_name_or_pattern_covers_them) {
  const AccessRules rules{{"session.*", "ping"}, {}};
  EXPECT_TRUE(rules.configured());
  EXPECT_TRUE(rules.method_allowed("session.open"));
  EXPECT_TRUE(rules.method_allowed("session."));
  EXPECT_TRUE(rules.method_allowed("ping"));
  EXPECT_FALSE(rules.method_allowed("session"));
  EXPECT_FALSE(rules.method_allowed("pingx"));
  EXPECT_FALSE(rules.method_allowed("Ping"));
  EXPECT_FALSE(rules.method_allowed("hub.broadcast"));
  EXPECT_FALSE(rules.method_allowed(""));
}

TEST(AccessMethods, are_all_allowed_by_a_lone_star) {
  const AccessRules rules{{"*"}, {}};
  EXPECT_TRUE(rules.method_allowed("hub.broadcast"));
  EXPECT_TRUE(rules.method_allowed(""));
}

TEST(LoopbackName, is_this_machine_and_nothing_that_only_looks_like_it) {
  for (const char* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.255.255.254", "::1", "[::1]"})
    EXPECT_TRUE(is_loopback_name(host)) << host;
  for (const char* host : {"", "localhost.example.com", "127.0.0.1.example.com", "127.example.com", "127.1",
                           "127.0.0.256", "127.0.0.1.", "127.0.0.1.1", "127.0..1", "128.0.0.1", "0127.0.0.1",
                           "0.0.0.0", "::2", "::", "[::1", "1127.0.0.1", "127.0.0.+1"})
    EXPECT_FALSE(is_loopback_name(host)) << host;
}

struct OriginCase {
  const char* origin;
  const char* host;
  bool allowed;
};

TEST(AccessOrigins, in_protected_mode_are_pages_of_this_machine_only) {
  const AccessRules rules;
  for (const OriginCase& c : std::initializer_list<OriginCase>{
           {"", "127.0.0.1:8080", true},  // no browser
           {"http://localhost:8080", "localhost:8080", true},
           {"http://localhost:3000", "127.0.0.1:8080", true},
           {"https://127.0.0.1", "127.0.0.1:8080", true},
           {"http://[::1]:8080", "[::1]:8080", true},
           {"HTTP://LocalHost", "", true},
           {"https://evil.example", "127.0.0.1:8080", false},
           {"http://127.0.0.1.evil.example", "127.0.0.1:8080", false},
           {"http://localhost.evil.example", "localhost:8080", false},
           {"http://127.evil.example", "127.0.0.1:8080", false},
           {"http://evil.example:8080", "evil.example:8080", false},  // a name that was made to point here
           {"null", "127.0.0.1:8080", false},
           {"http://localhost@evil.example", "localhost", false},
           {"http://localhost/path", "localhost", false},
           {"http://localhost:0", "localhost", false},
           {"http://localhost:99999", "localhost", false},
           {"http://", "localhost", false},
           {"://localhost", "localhost", false},
           {"localhost", "localhost", false},
           {" ", "localhost", false},
       })
    EXPECT_EQ(rules.origin_allowed(c.origin, c.host), c.allowed) << c.origin << " at " << c.host;
}

TEST(AccessOrigins, in_protected_mode_can_be_listed) {
  const AccessRules rules{{}, {"https://app.example.com"}};
  EXPECT_TRUE(rules.origin_allowed("https://app.example.com", "127.0.0.1:8080"));
  EXPECT_TRUE(rules.origin_allowed("http://localhost:8080", "localhost:8080"));
  EXPECT_FALSE(rules.origin_allowed("https://evil.example", "127.0.0.1:8080"));
}

TEST(AccessOrigins, of_the_host_itself_pass_once_configured) {
  const AccessRules rules{{"*"}, {}};
  for (const OriginCase& c : std::initializer_list<OriginCase>{
           {"", "hub.example.com", true},
           {"http://hub.example.com", "hub.example.com", true},
           {"https://hub.example.com", "hub.example.com", true},
           {"https://hub.example.com", "hub.example.com:443", true},
           {"http://hub.example.com:80", "HUB.Example.COM", true},
           {"http://hub.example.com:8080", "hub.example.com:8080", true},
           {"http://[2001:db8::1]:8080", "[2001:DB8::1]:8080", true},
           {"https://hub.example.com", "hub.example.com:80", false},
           {"http://hub.example.com", "hub.example.com:8080", false},
           {"http://hub.example.com:8080", "hub.example.com", false},
           {"http://example.com", "hub.example.com", false},
           {"http://localhost", "hub.example.com", false},  // another program's page on the visitor's machine
           {"null", "hub.example.com", false},
           {"null", "null", false},
           {"http://hub.example.com", "", false},
           {"http://hub.example.com", "bad host", false},
       })
    EXPECT_EQ(rules.origin_allowed(c.origin, c.host), c.allowed) << c.origin << " at " << c.host;
}

TEST(AccessOrigins, pass_when_a_pattern_covers_them) {
  const AccessRules rules{{"*"},
                          {"https://app.example.com", "https://*.shop.example", "http://dev.example:3000"}};
  for (const OriginCase& c : std::initializer_list<OriginCase>{
           {"https://app.example.com", "h", true},
           {"HTTPS://APP.example.com:443", "h", true},
           {"https://eu.shop.example", "h", true},
           {"https://a.b.shop.example", "h", true},
           {"http://dev.example:3000", "h", true},
           {"http://app.example.com", "h", false},
           {"https://app.example.com:8443", "h", false},
           {"https://xapp.example.com", "h", false},
           {"https://app.example.com.evil.example", "h", false},
           {"https://shop.example", "h", false},
           {"https://evilshop.example", "h", false},
           {"https://.shop.example", "h", false},
           {"http://eu.shop.example", "h", false},
           {"http://dev.example", "h", false},
           {"null", "h", false},
       })
    EXPECT_EQ(rules.origin_allowed(c.origin, c.host), c.allowed) << c.origin;
}

TEST(AccessOrigins, null_passes_only_when_listed) {
  EXPECT_TRUE((AccessRules{{"*"}, {"null"}}.origin_allowed("null", "h")));
  EXPECT_FALSE((AccessRules{{"*"}, {"null"}}.origin_allowed("https://a.example", "h")));
}

TEST(AccessOrigins, all_pass_with_a_star) {
  const AccessRules rules{{"*"}, {"*"}};
  EXPECT_TRUE(rules.origin_allowed("https://anything.example", "h"));
  EXPECT_TRUE(rules.origin_allowed("null", "h"));
}

TEST(AccessPatterns, are_checked_before_they_are_used) {
  for (const char* good : {"*", "ping", "session.*", "a/b"}) EXPECT_TRUE(valid_method_pattern(good)) << good;
  for (const char* bad : {"", "a*b", "**", "two words", "tab\t", "caf\xc3\xa9", "a,b"})
    EXPECT_FALSE(valid_method_pattern(bad)) << bad;
  EXPECT_TRUE(valid_method_pattern(std::string(128, 'a')));
  EXPECT_FALSE(valid_method_pattern(std::string(129, 'a')));
  for (const char* good :
       {"*", "null", "https://a.example", "http://*.a.example:81", "https://[::1]:443", "app://host"})
    EXPECT_TRUE(valid_origin_pattern(good)) << good;
  for (const char* bad :
       {"", "a.example", "https://a.example/", "https://a.*", "https://*", "https://*a.example",
        "https://a b", "https://u@a.example", "https://a.example:", "https://a.example:x", "//a.example"})
    EXPECT_FALSE(valid_origin_pattern(bad)) << bad;
}

}  // namespace
}  // namespace hubbub
