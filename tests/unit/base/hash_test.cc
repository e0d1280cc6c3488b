// Vectors: FIPS 180-2 appendices A and B, RFC 6455 section 1.3, RFC 4648 section 10, the FNV reference page.
#include "hubbub/base/hash.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace hubbub {
namespace {

std::span<const unsigned char> bytes(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::string hex(std::span<const unsigned char> data) {
  std::string out;
  for (const unsigned char byte : data) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

TEST(Sha1, gives_the_published_digests) {
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1(std::string(1'000'000, 'a'))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Sha1, with_base64_gives_the_accept_key_of_rfc_6455) {
  const Sha1 digest = sha1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  EXPECT_EQ(base64(digest), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Sha256, gives_the_published_digests) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(EqualConstantTime, tells_digests_apart_that_differ_in_one_bit) {
  const Sha256 digest = sha256("token");
  EXPECT_TRUE(equal_constant_time(digest, sha256("token")));
  for (const std::size_t at : {std::size_t{0}, digest.size() / 2, digest.size() - 1}) {
    Sha256 other = digest;
    other[at] ^= 1;
    EXPECT_FALSE(equal_constant_time(digest, other)) << at;
  }
}

TEST(Base64, gives_the_vectors_of_rfc_4648) {
  EXPECT_EQ(base64(bytes("")), "");
  EXPECT_EQ(base64(bytes("f")), "Zg==");
  EXPECT_EQ(base64(bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(bytes("foo")), "Zm9v");
  EXPECT_EQ(base64(bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(base64(bytes("fooba")), "Zm9vYmE=");
  EXPECT_EQ(base64(bytes("foobar")), "Zm9vYmFy");
}

TEST(Base64url, uses_the_url_safe_alphabet_and_no_padding) {
  EXPECT_EQ(base64(bytes("\xFB\xFF\xFE\xFF")), "+//+/w==");
  EXPECT_EQ(base64url(bytes("\xFB\xFF\xFE\xFF")), "-__-_w");
  EXPECT_EQ(base64url(bytes("f")), "Zg");
}

TEST(Base64DecodedSize, tells_the_length_of_every_encoding) {
  for (std::size_t size = 0; size < 70; ++size)
    EXPECT_EQ(base64_decoded_size(base64(bytes(std::string(size, 'x')))), static_cast<int>(size));
}

TEST(Base64DecodedSize, refuses_what_is_not_base64) {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zm9v=", "Z===", "====", "Z=g=", "Zm9-", "Zm9_", "Zm 9", "Zm9\n"})
    EXPECT_EQ(base64_decoded_size(text), -1) << text;
}

TEST(PlacementHash, is_fnv_1a_on_every_machine_and_in_every_version) {
  EXPECT_EQ(placement_hash(""), 0xcbf29ce484222325u);
  EXPECT_EQ(placement_hash("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(placement_hash("foobar"), 0x85944171f73967e8u);
}

TEST(KeyedHash, is_equal_for_equal_input_and_differs_by_key) {
  const std::vector<std::string> texts = {"", "a", "topic", "12345678", "123456789", std::string(255, 'x')};
  for (const std::string& text : texts) {
    EXPECT_EQ(keyed_hash(text, 42), keyed_hash(std::string(text), 42)) << text;
    std::set<std::uint64_t> hashes;
    // Neighbours, too: 42 and 43 differ in the lowest bit only.
    for (std::uint64_t key = 0; key < 1000; ++key) hashes.insert(keyed_hash(text, key));
    EXPECT_EQ(hashes.size(), 1000u) << text;
  }
}

TEST(KeyedHash, has_no_collisions_among_a_hundred_thousand_short_names) {
  for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    std::set<std::uint64_t> hashes;
    for (int i = 0; i < 100'000; ++i) hashes.insert(keyed_hash("t" + std::to_string(i), key));
    EXPECT_EQ(hashes.size(), 100'000u) << key;
  }
}

TEST(KeyedHash, tells_zero_bytes_and_lengths_apart) {
  std::set<std::uint64_t> hashes;
  for (std::size_t size = 0; size < 64; ++size) hashes.insert(keyed_hash(std::string(size, '\0'), 7));
  EXPECT_EQ(hashes.size(), 64u);
}

}  // namespace
}  // namespace hubbub
