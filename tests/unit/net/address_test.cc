#include "hubbub/net/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace hubbub {
namespace {

Address v4(const char* text, std::uint16_t port) {
  sockaddr_storage storage{};
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET, text, &in.sin_addr), 1);
  std::memcpy(&storage, &in, sizeof in);
  return Address::from(storage);
}

Address v6(const char* text, std::uint16_t port) {
  sockaddr_storage storage{};
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET6, text, &in.sin6_addr), 1);
  std::memcpy(&storage, &in, sizeof in);
  return Address::from(storage);
}

TEST(Address, reads_as_people_write_it) {
  EXPECT_EQ(v4("127.0.0.1", 5555).text(), "127.0.0.1:5555");
  EXPECT_EQ(v6("2001:db8::1", 80).text(), "[2001:db8::1]:80");
  EXPECT_EQ(Address::ipv4(10, 1, 2, 3, 4).text(), "10.1.2.3:4");
}

TEST(Address, an_ipv4_client_of_an_ipv6_listener_is_the_same_client) {
  EXPECT_EQ(v6("::ffff:10.1.2.3", 4).text(), "10.1.2.3:4");
  EXPECT_EQ(v6("::ffff:10.1.2.3", 4).key(), v4("10.1.2.3", 9).key());
  EXPECT_TRUE(v6("::ffff:127.0.0.9", 1).is_loopback());
}

TEST(Address, loopback_is_127_slash_8_and_colon_colon_1) {
  EXPECT_TRUE(v4("127.0.0.1", 0).is_loopback());
  EXPECT_TRUE(v4("127.255.0.7", 0).is_loopback());
  EXPECT_TRUE(v6("::1", 0).is_loopback());
  EXPECT_FALSE(v4("128.0.0.1", 0).is_loopback());
  EXPECT_FALSE(v4("10.0.0.127", 0).is_loopback());
  EXPECT_FALSE(v6("::2", 0).is_loopback());
  EXPECT_FALSE(v6("1::1", 0).is_loopback());
  EXPECT_FALSE(v6("::", 0).is_loopback());
}

TEST(Address, the_key_is_a_whole_ipv4_address_without_the_port) {
  EXPECT_EQ(v4("10.0.0.1", 1).key(), v4("10.0.0.1", 2).key());
  EXPECT_NE(v4("10.0.0.1", 1).key(), v4("10.0.0.2", 1).key());
}

TEST(Address, the_key_of_ipv6_is_its_slash_64) {
  EXPECT_EQ(v6("2001:db8:0:7::1", 1).key(), v6("2001:db8:0:7:ffff:ffff:ffff:ffff", 2).key());
  EXPECT_NE(v6("2001:db8:0:7::1", 1).key(), v6("2001:db8:0:8::1", 1).key());
}

}  // namespace
}  // namespace hubbub
