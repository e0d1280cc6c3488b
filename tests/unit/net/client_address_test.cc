#include "hubbub/net/client_address.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace hubbub {
namespace {

Address address(std::string_view text) { return Address::parse(text).value(); }

ProxySettings trusting(const std::vector<std::string_view>& ranges,
                       ForwardedHeader header = ForwardedHeader::x_forwarded_for) {
  ProxySettings settings;
  settings.header = header;
  for (const auto range : ranges) settings.trusted.push_back(AddressRange::parse(range).value());
  return settings;
}

wire::HttpRequest request_with(const std::vector<std::pair<std::string, std::string>>& headers) {
  wire::HttpRequest request;
  request.headers = headers;
  return request;
}

std::string client(const ProxySettings& settings, std::string_view peer, std::string_view value) {
  const bool standard = settings.header == ForwardedHeader::forwarded;
  return settings
      .client_of(address(peer),
                 request_with({{standard ? "forwarded" : "x-forwarded-for", std::string(value)}}))
      .text();
}

TEST(AddressParse, reads_what_proxies_write) {
  EXPECT_EQ(address("192.0.2.1").text(), "192.0.2.1");
  EXPECT_EQ(address("192.0.2.1:80").text(), "192.0.2.1:80");
  EXPECT_EQ(address("2001:db8::1").text(), "2001:db8::1");
  EXPECT_EQ(address("[2001:db8::1]").text(), "2001:db8::1");
  EXPECT_EQ(address("[2001:db8::1]:65535").text(), "[2001:db8::1]:65535");
  EXPECT_EQ(address("::ffff:10.0.0.1"), address("10.0.0.1"));
}

TEST(AddressParse, refuses_everything_else) {
  for (const std::string_view text : {"",
                                      " ",
                                      "unknown",
                                      "_hidden",
                                      "localhost",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.0.0.1",
                                      "1.2.3.4:",
                                      "1.2.3.4:x",
                                      "1.2.3.4:65536",
                                      "1.2.3.4:-1",
                                      "[1.2.3.4]",
                                      "[::1",
                                      "::1]",
                                      "[::1]80",
                                      "[::1]:",
                                      "[]",
                                      "[",
                                      ":",
                                      "fe80::1%eth0",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2.3.4,5.6.7.8",
                                      "2001:db8:::1"})
    EXPECT_FALSE(Address::parse(text).has_value()) << text;
  EXPECT_FALSE(Address::parse(std::string(100'000, ':')).has_value());
}

TEST(AddressRange, has_the_addresses_of_its_network_and_no_others) {
  const AddressRange ten = AddressRange::parse("10.0.0.0/8").value();
  EXPECT_TRUE(ten.contains(address("10.255.1.2")));
  EXPECT_FALSE(ten.contains(address("11.0.0.0")));
  const AddressRange odd = AddressRange::parse("192.0.2.128/25").value();
  EXPECT_TRUE(odd.contains(address("192.0.2.255")));
  EXPECT_FALSE(odd.contains(address("192.0.2.127")));
  const AddressRange six = AddressRange::parse("2001:db8::/33").value();
  EXPECT_TRUE(six.contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(six.contains(address("2001:db8:8000::1")));
  const AddressRange one = AddressRange::parse("192.0.2.1").value();
  EXPECT_TRUE(one.contains(address("192.0.2.1:99")));
  EXPECT_FALSE(one.contains(address("192.0.2.0")));
  EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->contains(address("203.0.113.9")));
  EXPECT_FALSE(AddressRange::parse("0.0.0.0/0")->contains(address("2001:db8::1")));
}

TEST(AddressRange, refuses_what_is_no_network) {
  for (const std::string_view text :
       {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::/129", "2001:db8::1/32", "10.0.0.0/8x",
        "10.0.0.0/-1", "10/8", "[::1]/128", "10.0.0.1:80", "*"})
    EXPECT_FALSE(AddressRange::parse(text).has_value()) << text;
}

TEST(ClientOf, a_peer_that_is_not_trusted_speaks_for_itself_only) {
  EXPECT_EQ(client(trusting({"10.0.0.0/8"}), "203.0.113.9:1", "198.51.100.1"), "203.0.113.9:1");
  EXPECT_EQ(client(trusting({}), "127.0.0.1:1", "198.51.100.1"), "127.0.0.1:1");
}

TEST(ClientOf, a_trusted_peer_tells_its_client) {
  EXPECT_EQ(client(trusting({"10.0.0.0/8"}), "10.0.0.1:1", "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(client(trusting({"::1"}), "[::1]:1", "2001:db8::7"), "2001:db8::7");
  EXPECT_EQ(client(trusting({"10.0.0.0/8"}), "10.0.0.1:1", "198.51.100.1:4711"), "198.51.100.1:4711");
}

TEST(ClientOf, what_a_client_writes_there_itself_is_never_reached) {
  const ProxySettings settings = trusting({"10.0.0.0/8"});
  for (const std::string_view forged :
       {"127.0.0.1, ", "10.0.0.7, ", "6.6.6.6,", "6.6.6.6 , 10.0.0.9, ", ",,,", "unknown, ", "\"6.6.6.6, "})
    EXPECT_EQ(client(settings, "10.0.0.1:1", std::string(forged) + "198.51.100.1"),
              forged == "\"6.6.6.6, " ? "10.0.0.1:1" : "198.51.100.1")
        << forged;
}

TEST(ClientOf, several_trusted_proxies_are_walked_from_the_right) {
  const ProxySettings settings = trusting({"10.0.0.0/8", "192.0.2.0/24"});
  EXPECT_EQ(client(settings, "10.0.0.1:1", "6.6.6.6, 198.51.100.1, 192.0.2.5, 10.0.0.2"), "198.51.100.1");
  EXPECT_EQ(settings
                .client_of(address("10.0.0.1"), request_with({{"x-forwarded-for", "6.6.6.6"},
                                                              {"x-forwarded-for", "198.51.100.1, 10.0.0.2"}}))
                .text(),
            "198.51.100.1");
}

TEST(ClientOf, where_nothing_more_can_be_read_the_last_trusted_proxy_stands_for_its_clients) {
  const ProxySettings settings = trusting({"10.0.0.0/8"});
  EXPECT_EQ(client(settings, "10.0.0.1:1", ""), "10.0.0.1:1");
  EXPECT_EQ(client(settings, "10.0.0.1:1", "10.0.0.2"), "10.0.0.2");
  EXPECT_EQ(client(settings, "10.0.0.1:1", "198.51.100.1, unknown, 10.0.0.2"), "10.0.0.2");
  EXPECT_EQ(client(settings, "10.0.0.1:1", "198.51.100.1,"), "10.0.0.1:1");
}

TEST(ClientOf, the_other_header_is_never_read) {
  const auto both = request_with({{"x-forwarded-for", "198.51.100.1"}, {"forwarded", "for=198.51.100.2"}});
  EXPECT_EQ(trusting({"10.0.0.1"}).client_of(address("10.0.0.1"), both).text(), "198.51.100.1");
  EXPECT_EQ(trusting({"10.0.0.1"}, ForwardedHeader::forwarded).client_of(address("10.0.0.1"), both).text(),
            "198.51.100.2");
}

TEST(ClientOf, reads_forwarded_as_rfc_7239_writes_it) {
  const ProxySettings settings = trusting({"10.0.0.0/8"}, ForwardedHeader::forwarded);
  const auto told = [&](std::string_view value) { return client(settings, "10.0.0.1:1", value); };
  EXPECT_EQ(told("for=198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(told("For=\"[2001:db8:cafe::17]:4711\""), "[2001:db8:cafe::17]:4711");
  EXPECT_EQ(told("proto=https;FOR=198.51.100.1;by=10.0.0.1"), "198.51.100.1");
  EXPECT_EQ(told("for=6.6.6.6, for=198.51.100.1;host=\"a,b;for=7.7.7.7\", for=10.0.0.2"), "198.51.100.1");
  EXPECT_EQ(told("for=198.51.100.1, for=_hidden"), "10.0.0.1:1");
  EXPECT_EQ(told("for=198.51.100.1, proto=https"), "10.0.0.1:1");
  EXPECT_EQ(told("198.51.100.1"), "10.0.0.1:1");
  EXPECT_EQ(told("for=\"198.51.100.1"), "10.0.0.1:1");
}

}  // namespace
}  // namespace hubbub
