#include "hubbub/server/stop_signals.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {

// The pipe's end for the handler, which may run on any thread: all it does is async-signal-safe.
std::atomic<int> g_write_end{-1};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void hubbub_on_stop_signal(int number) {
  const int kept = errno;
  const auto byte = static_cast<unsigned char>(number);
  if (::write(g_write_end.load(), &byte, 1) < 0) {
    // The pipe is full of signals already.
  }
  errno = kept;
}

}  // namespace

StopSignals::StopSignals() {
  int ends[2];
  HUBBUB_ASSERT(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  read_end_ = ends[0];
  HUBBUB_ASSERT(g_write_end.exchange(ends[1]) == -1);
  struct sigaction action{};
  action.sa_handler = hubbub_on_stop_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &action, &before_term_);
  ::sigaction(SIGINT, &action, &before_int_);
  sigset_t both;
  ::sigemptyset(&both);
  ::sigaddset(&both, SIGTERM);
  ::sigaddset(&both, SIGINT);
  // Whoever started us may have blocked them.
  ::pthread_sigmask(SIG_UNBLOCK, &both, nullptr);
}

StopSignals::~StopSignals() {
  ::sigaction(SIGTERM, &before_term_, nullptr);
  ::sigaction(SIGINT, &before_int_, nullptr);
  ::close(g_write_end.exchange(-1));
  ::close(read_end_);
}

int StopSignals::wait() {
  for (;;)
    if (const int signal = wait_for(-1); signal != 0) return signal;
}

int StopSignals::wait_for(Millis timeout) {
  pollfd end{read_end_, POLLIN, 0};
  unsigned char number = 0;
  if (::poll(&end, 1, static_cast<int>(timeout)) <= 0) return 0;
  return ::read(read_end_, &number, 1) == 1 ? number : 0;
}

}  // namespace hubbub
