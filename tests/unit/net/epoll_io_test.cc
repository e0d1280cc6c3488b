// EpollIo on real loopback sockets: what the simulated Io promises to be like.
#include "hubbub/net/epoll_io.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace hubbub {
namespace {

constexpr Millis kSoon = 10'000;  // what is awaited is there already; only a broken build waits this long
constexpr std::uint64_t kListenerTag = 1;
constexpr std::uint64_t kClientTag = 2;

// A blocking client.
class Peer {
 public:
  explicit Peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Peer& operator=(Peer&&) = delete;
  ~Peer() {
    if (fd_ >= 0) ::close(fd_);
  }
  void send(std::string_view text) const {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string read(std::size_t most = 4096) const {
    std::string out(most, '\0');
    const ssize_t got = ::recv(fd_, out.data(), out.size(), 0);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  void end() const { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct Epoll : testing::Test {
  EpollIo io;
  Socket listener = kNoSocket;
  std::uint16_t port = 0;
  std::array<char, 4096> buffer{};

  void SetUp() override {
    auto listening = io.listen("127.0.0.1", 0, false);
    ASSERT_TRUE(listening.has_value());
    listener = listening->socket;
    const std::string& text = listening->address;
    ASSERT_EQ(text.substr(0, 10), "127.0.0.1:");
    std::from_chars(text.data() + 10, text.data() + text.size(), port);
    ASSERT_NE(port, 0);
    ASSERT_TRUE(io.watch(listener, kListenerTag));
  }
  void TearDown() override { io.close(listener); }

  Socket accept_one() {
    await(kListenerTag);
    const AcceptResult accepted = io.accept(listener);
    EXPECT_EQ(accepted.status, IoStatus::ok);
    EXPECT_TRUE(accepted.peer.is_loopback());
    EXPECT_NE(accepted.peer.port, 0);
    EXPECT_TRUE(io.watch(accepted.socket, kClientTag));
    return accepted.socket;
  }
  // The next event of `tag`.
  IoEvent await(std::uint64_t tag, bool readable = false) {
    for (int i = 0; i < 100; ++i)
      for (const IoEvent& event : io.wait(kSoon))
        if (event.tag == tag && (!readable || event.readable)) return event;
    ADD_FAILURE() << "no event";
    return {};
  }
  IoStatus write(Socket socket, std::string_view text, std::size_t* written = nullptr) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    WriteOp op{socket, {&part, 1}};
    io.write({&op, 1});
    if (written) *written = op.written;
    return op.status;
  }
};

TEST_F(Epoll, bytes_travel_both_ways) {
  const Peer peer(port);
  const Socket socket = accept_one();
  EXPECT_EQ(io.read(socket, buffer).status, IoStatus::would_block);
  peer.send("hello");
  await(kClientTag, true);
  const ReadResult got = io.read(socket, buffer);
  EXPECT_EQ(got.status, IoStatus::ok);
  EXPECT_EQ(std::string_view(buffer.data(), got.bytes), "hello");
  std::array<iovec, 3> parts{iovec{const_cast<char*>("a"), 1}, iovec{const_cast<char*>("bc"), 2},
                             iovec{const_cast<char*>("d"), 1}};
  WriteOp op{socket, parts};
  io.write({&op, 1});
  EXPECT_EQ(op.status, IoStatus::ok);
  EXPECT_EQ(op.written, 4U);
  EXPECT_EQ(peer.read(), "abcd");
  io.close(socket);
  EXPECT_EQ(peer.read(), "");
}

TEST_F(Epoll, a_peers_end_is_told_and_its_last_bytes_still_read) {
  const Peer peer(port);
  const Socket socket = accept_one();
  peer.send("last");
  peer.end();
  while (!await(kClientTag, true).ended) {
  }
  EXPECT_EQ(io.read(socket, buffer).bytes, 4U);
  EXPECT_EQ(io.read(socket, buffer).status, IoStatus::eof);
  EXPECT_EQ(write(socket, "answer"), IoStatus::ok);
  EXPECT_EQ(peer.read(), "answer");
  io.shutdown_write(socket);
  EXPECT_EQ(peer.read(), "");
  io.close(socket);
}

TEST_F(Epoll, a_reset_is_failed_on_read_and_write_and_raises_no_signal) {
  Peer peer(port);
  const Socket socket = accept_one();
  peer.reset();
  while (!await(kClientTag, true).ended) {
  }
  EXPECT_EQ(io.read(socket, buffer).status, IoStatus::failed);
  EXPECT_EQ(write(socket, "x"), IoStatus::failed);
  io.close(socket);
}

TEST_F(Epoll, a_full_socket_takes_a_part_and_tells_when_there_is_room) {
  const Peer peer(port);
  const Socket socket = accept_one();
  const std::string much(32 << 20, 'x');  // more than both sockets' buffers
  std::size_t written = 0;
  EXPECT_EQ(write(socket, much, &written), IoStatus::would_block);
  EXPECT_GT(written, 0U);
  EXPECT_LT(written, much.size());
  for (std::size_t read = 0; read < written;) read += peer.read(1 << 20).size();
  while (!await(kClientTag).writable) {
  }
  EXPECT_NE(write(socket, std::string_view(much).substr(written), &written), IoStatus::failed);
  EXPECT_GT(written, 0U);
  io.close(socket);
}

TEST_F(Epoll, wait_ends_at_its_timeout_and_by_wake_from_another_thread) {
  EXPECT_TRUE(io.wait(0).empty());
  EXPECT_TRUE(io.wait(1).empty());
  std::thread waker([&] { io.wake(); });
  EXPECT_TRUE(io.wait(-1).empty());
  waker.join();
}

TEST_F(Epoll, what_cannot_be_listened_on_is_told_to_people) {
  const auto taken = io.listen("127.0.0.1", port, false);
  ASSERT_FALSE(taken.has_value());
  EXPECT_NE(taken.error().message().find(std::to_string(port)), std::string_view::npos);
  EXPECT_FALSE(io.listen("256.0.0.1", 0, false).has_value());
}

TEST_F(Epoll, without_descriptors_those_who_wait_are_dropped_and_then_nobody_waits) {
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) peers.emplace_back(port);
  await(kListenerTag);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next_free = ::dup(0);
  ::close(next_free);
  const rlimit none{static_cast<rlim_t>(next_free), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  std::vector<IoStatus> seen;
  for (int i = 0; i < 5; ++i) seen.push_back(io.accept(listener).status);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  // The kernel says EMFILE before it looks whether anybody waits: taken at its word, a loop would never end.
  EXPECT_EQ(seen, (std::vector{IoStatus::out_of_fds, IoStatus::out_of_fds, IoStatus::out_of_fds,
                               IoStatus::would_block, IoStatus::would_block}));
  for (const Peer& peer : peers) EXPECT_EQ(peer.read(), "");
  const Peer next(port);
  io.close(accept_one());
}

// As when another thread opened a file between giving up the reserve and the accept.
TEST_F(Epoll, without_descriptors_and_without_the_reserve_those_who_wait_are_kept) {
  const Peer waits(port);
  await(kListenerTag);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const IoStatus first = io.accept(listener).status;
  const IoStatus second = io.accept(listener).status;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(first, IoStatus::fds_taken);
  EXPECT_EQ(second, IoStatus::fds_taken);
  const AcceptResult now = io.accept(listener);
  ASSERT_EQ(now.status, IoStatus::ok);
  io.close(now.socket);
}

}  // namespace
}  // namespace hubbub
