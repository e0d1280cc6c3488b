#include "hubbub/load/engine.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>

#include "hubbub/load/process_watch.h"
#include "hubbub/load/recognizer.h"

namespace hubbub::load {
namespace {

constexpr std::uint64_t kTickNs = 50'000'000;  // the longest sleep
constexpr std::size_t kEventsMax = 1024;
constexpr std::size_t kOpenAtATime = 64;
// One source address has 28,000 ports by default, and closed connections keep theirs for a minute.
constexpr std::uint64_t kConnectsPerSource = 25'000;
constexpr std::uint32_t kLoopback = 0x7F00'0001;
constexpr std::uint32_t kSourcesMax = 200;
constexpr int kSlowReaderBytes = 4096;
constexpr int kDrainBytes = 1 << 20;
constexpr rlim_t kOtherFiles = 64;
constexpr std::uint64_t kGoodbyeNs = 2'000'000'000;

Outcome<void> raise_file_limit(std::size_t links) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (links + kOtherFiles <= files.rlim_max) return {};
  return Failure(
      fmt::format("{} connections need more descriptors than this process may have ({}): see `ulimit -Hn`",
                  links, files.rlim_max));
}

}  // namespace

Outcome<void> Workload::on_lost(std::size_t link, const std::string& reason, std::uint64_t) {
  return Failure(fmt::format("connection {}: {}", link, reason));
}

Engine::Engine(const Options& options)
    : options_(options),
      counting_(options.ack_every > 0 || options.mode == Mode::resume),
      events_(kEventsMax),
      progress_(!options.quiet) {}

Engine::~Engine() {
  if (epoll_ >= 0) ::close(epoll_);
}

Outcome<void> Engine::prepare(Workload& workload, std::size_t links) {
  workload_ = &workload;
  if (auto fine = raise_file_limit(links); !fine) return fine;
  if (auto fine = resolve_targets(); !fine) return fine;
  ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);  // an open loop's times are exact to some microseconds
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return Failure(fmt::format("epoll: {}", std::strerror(errno)));
  links_.resize(links);
  lives_.resize(links);
  writing_.resize(links);
  return {};
}

Outcome<void> Engine::resolve_targets() {
  for (const auto& [url, target] :
       {std::pair(&options_.url, &main_), {&options_.publish_url, &publishing_}}) {
    auto address = resolve(*url);
    if (!address) return Failure(std::move(address.error()));
    *target = {*address, url->authority(), url->target,
               upgrade_request(options_.upgrade, url->authority(), url->target)};
  }
  return {};
}

void Engine::begin_opening(std::size_t first, std::size_t count, std::size_t parallel, double rate) {
  next_ = first;
  end_ = first + count;
  parallel_ = parallel;
  scheduled_ = rate > 0;
  moved_at_ = now_ns();
  if (scheduled_) opening_schedule_ = Schedule(rate, moved_at_);
}

Outcome<void> Engine::open(std::size_t first, std::size_t count) {
  begin_opening(first, count, kOpenAtATime);
  return run(Workload::kNever, [this] { return !opening(); });
}

Outcome<void> Engine::run(std::uint64_t until, const std::function<bool()>& enough) {
  while (now_ns() < until && !(enough && enough())) {
    if (auto fine = turn(until); !fine) return fine;
  }
  return {};
}

Outcome<void> Engine::turn(std::uint64_t until) {
  const int ready = wait(until);
  const std::uint64_t begin = now_ns();
  for (int i = 0; i < ready; ++i) {
    if (auto fine = on_event(events_[static_cast<std::size_t>(i)]); !fine) return fine;
  }
  const std::uint64_t now = now_ns();
  if (leaving_) return {};
  if (auto fine = workload_->end_of_turn(now); !fine) return fine;
  if (auto fine = start_links(now); !fine) return fine;
  if (ready > 0) turns_.record(now_ns() - begin);
  progress_.update(now, workload_->done() + settled_);
  return check_stall(now);
}

int Engine::wait(std::uint64_t until) {
  const std::uint64_t now = now_ns();
  std::uint64_t wake = std::min({until, workload_->next_due(), now + kTickNs});
  if (next_ < end_ && under_way_ < parallel_)
    wake = scheduled_ ? std::min(wake, opening_schedule_.next()) : now;
  const std::uint64_t sleep = wake > now ? wake - now : 0;
  if (has_pwait2_) {
    const timespec time{.tv_sec = 0, .tv_nsec = static_cast<long>(sleep)};
    const int ready =
        ::epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &time, nullptr);
    if (ready >= 0 || errno != ENOSYS) return ready;
    has_pwait2_ = false;
  }
  return ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                      static_cast<int>(sleep / 1'000'000));
}

Outcome<void> Engine::on_event(const epoll_event& event) {
  const auto index = static_cast<std::size_t>(event.data.u64 & 0xFFFF'FFFF);
  if (event.data.u64 >> 32U != lives_[index] || links_[index].fd() < 0) return {};  // of a connection before
  if ((event.events & EPOLLOUT) != 0) {
    if (auto sent = links_[index].on_writable(); !sent) return lost(index, sent.error(), now_ns());
  }
  if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
    if (auto fine = read(index); !fine) return fine;
  }
  if (links_[index].fd() >= 0) follow_unsent(index);
  return {};
}

Outcome<void> Engine::read(std::size_t index) {
  Link& link = links_[index];
  const std::uint64_t now = now_ns();
  const std::uint32_t life = lives_[index];
  Outcome<void> fatal;
  const auto on_head = [&](std::string_view head, std::string_view body) {
    return check_upgrade(options_.upgrade, head, body);
  };
  // A workload's error is kept apart from the link's own: it ends the run. Both end this read.
  const auto keep = [&fatal](Outcome<void> fine) {
    if (fine) return fine;
    fatal = fine;
    return fine;
  };
  const bool was_upgrading = link.phase == Link::Phase::upgrading;
  bool greeted = !was_upgrading;
  const auto on_message = [&](std::string_view text) -> Outcome<void> {
    if (link.phase == Link::Phase::ready) [[likely]] {
      if (leaving_) return {};
      if (counting_) count(link, text);
      return keep(workload_->on_message(index, text, now));
    }
    if (link.phase == Link::Phase::stalled) return {};
    if (!greeted) {
      greeted = true;
      if (auto fine = greet(index, now); !fine) return keep(fine);
      if (link.phase == Link::Phase::ready) return keep(workload_->on_message(index, text, now));
    }
    return keep(on_greeting(index, text, now));
  };
  auto result = link.on_readable(context_, on_head, on_message);
  if (!fatal) return fatal;
  if (!result) return lost(index, result.error(), now);
  if (!greeted && link.phase == Link::Phase::greeting) {
    if (auto fine = greet(index, now); !fine) return fine;
  }
  if (link.phase != Link::Phase::ready || life != lives_[index] || leaving_) return {};
  if (options_.ack_every > 0 && link.uncounted >= options_.ack_every) {
    if (auto fine = acknowledge(index); !fine) return fine;
  }
  return workload_->after_read(index, now);
}

Outcome<void> Engine::start_links(std::uint64_t now) {
  while (next_ < end_ && under_way_ < parallel_) {
    std::uint64_t since = now;
    if (scheduled_) {
      if (!opening_schedule_.due(now)) return {};
      since = opening_schedule_.take();
      note_lateness(now - since);
    }
    if (auto fine = start_link(next_++, since); !fine) return fine;
  }
  return {};
}

Outcome<void> Engine::start_link(std::size_t index, std::uint64_t since) {
  const Target& target = workload_->publishes(index) ? publishing_ : main_;
  ConnectSettings settings{.to = target.address,
                           .receive_buffer_bytes = workload_->reads_slowly(index) ? kSlowReaderBytes : 0};
  const auto source = static_cast<std::uint32_t>(attempts_++ / kConnectsPerSource);
  if (source > 0 && target.address.is_ipv4_loopback()) settings.source = kLoopback + source % kSourcesMax;
  const std::string path = workload_->target(index);
  ++under_way_;
  ++lives_[index];
  writing_[index] = 0;
  Link& link = links_[index];
  const auto connected = link.connect(
      settings, path.empty() ? target.request : upgrade_request(options_.upgrade, target.authority, path));
  link.since = since;
  if (!connected) {
    link.phase = Link::Phase::upgrading;
    return lost(index, fmt::format("{}: {}", target.authority, connected.error()), since);
  }
  writing_[index] = link.unsent() ? 1 : 0;
  watch(EPOLL_CTL_ADD, index, link.unsent() ? EPOLLIN | EPOLLOUT : EPOLLIN);
  return {};
}

// Says what the script has next, up to the step that waits.
Outcome<void> Engine::greet(std::size_t index, std::uint64_t now) {
  Link& link = links_[index];
  const Script& script = workload_->script(index);
  for (; link.step < script.size(); ++link.step) {
    const Step& step = script[link.step];
    if (step.speaks) {
      out_.clear();
      step.says.append_frame(out_, {.number = 0, .unix_us = unix_us(), .index = index});
      if (auto sent = link.send(out_); !sent) return lost(index, sent.error(), now);
    }
    if (step.waits) return {};
  }
  link.phase = Link::Phase::ready;
  --under_way_;
  ++settled_;
  return workload_->on_ready(index, now);
}

Outcome<void> Engine::on_greeting(std::size_t index, std::string_view text, std::uint64_t now) {
  Link& link = links_[index];
  const Step& step = workload_->script(index)[link.step];
  const auto holds = [text](const std::string& part) {
    return !part.empty() && text.find(part) != std::string_view::npos;
  };
  if (holds(step.refused)) return lost(index, fmt::format("the server refused: {}", text), now);
  if (!step.until.empty() && !holds(step.until)) return {};
  if (step.counted) count(link, text);
  if (auto fine = workload_->on_answer(index, link.step, text); !fine) return fine;
  ++link.step;
  return greet(index, now);
}

void Engine::count(Link& link, std::string_view text) {
  if (is_ack(text)) return;
  ++link.counted;
  ++link.uncounted;
}

Outcome<void> Engine::acknowledge(std::size_t index) {
  Link& link = links_[index];
  link.uncounted = 0;
  out_.clear();
  append_client_frame(
      out_, Opcode::text,
      fmt::format(R"({{"jsonrpc":"2.0","method":"session.ack","params":{{"received":{}}}}})", link.counted));
  return send(index, out_);
}

Outcome<void> Engine::lost(std::size_t index, const std::string& reason, std::uint64_t now) {
  const auto phase = links_[index].phase;
  if (phase == Link::Phase::upgrading || phase == Link::Phase::greeting) --under_way_;
  ++settled_;
  links_[index].close();
  if (leaving_) return {};
  return workload_->on_lost(index, reason, now);
}

void Engine::say_goodbye() {
  if (options_.dialect != Dialect::hubbub) return;
  leaving_ = true;
  std::string close;
  append_client_frame(close, Opcode::text, R"({"jsonrpc":"2.0","method":"session.close"})");
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (links_[i].phase == Link::Phase::ready) std::ignore = send(i, close);
  }
  const auto all_gone = [this] {
    return std::ranges::none_of(links_, [](const Link& link) { return link.phase == Link::Phase::ready; });
  };
  std::ignore = run(now_ns() + kGoodbyeNs, all_gone);
}

Outcome<void> Engine::send(std::size_t index, std::string_view frames) {
  if (links_[index].fd() < 0) return {};
  if (auto sent = links_[index].send(frames); !sent) return lost(index, sent.error(), now_ns());
  follow_unsent(index);
  return {};
}

void Engine::hang_up(std::size_t index) {
  out_.clear();
  append_client_frame(out_, Opcode::close, "\x03\xE8");
  if (auto sent = links_[index].send(out_); sent) ::shutdown(links_[index].fd(), SHUT_WR);
  links_[index].close();
}

void Engine::drop(std::size_t index) { links_[index].close(); }

void Engine::stop_reading(std::size_t index) {
  links_[index].phase = Link::Phase::stalled;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, links_[index].fd(), nullptr);
}

std::size_t Engine::count_ended(std::size_t first, std::size_t count) {
  leaving_ = true;
  for (std::size_t i = first; i < first + count; ++i) {
    // Through a window smaller than a segment little would come, and that slowly.
    ::setsockopt(links_[i].fd(), SOL_SOCKET, SO_RCVBUF, &kDrainBytes, sizeof kDrainBytes);
    links_[i].phase = Link::Phase::ready;
    watch(EPOLL_CTL_ADD, i, EPOLLIN);
  }
  const auto ended = [this, first, count] {
    return std::ranges::count_if(std::span(links_).subspan(first, count),
                                 [](const Link& link) { return link.fd() < 0; });
  };
  std::ignore = run(now_ns() + kGoodbyeNs, [&] { return static_cast<std::size_t>(ended()) == count; });
  return static_cast<std::size_t>(ended());
}

double Engine::lag_us() const {
  return static_cast<double>((lateness_.count() > 0 ? lateness_ : turns_).quantile(0.99)) / 1000;
}

void Engine::clear_lag() {
  lateness_.clear();
  turns_.clear();
}

// Something must come as long as something is missing.
Outcome<void> Engine::check_stall(std::uint64_t now) {
  const std::uint64_t moved = workload_->done() + settled_;
  const std::uint64_t missing = workload_->outstanding() + under_way_;
  if (std::exchange(moved_count_, moved) != moved || missing == 0) moved_at_ = now;
  if (static_cast<double>(now - std::min(now, moved_at_)) < options_.timeout_s * 1e9) return {};
  const std::string ignored = workload_->last_ignored();
  const bool greeting = under_way_ > 0 && options_.dialect == Dialect::hubbub;
  return Failure(fmt::format(
      "nothing came for {} s; {} done, {} missing{}{}{}", options_.timeout_s, workload_->done(), missing,
      greeting ? "; sessions are waited for: is it a hubbub server? (else --dialect raw)" : "",
      ignored.empty() ? "" : "; the last message that did not count: ", ignored));
}

// Asks for writability exactly while a link has something unsent.
void Engine::follow_unsent(std::size_t index) {
  const bool unsent = links_[index].unsent();
  if (unsent == (writing_[index] != 0)) return;
  writing_[index] = unsent ? 1 : 0;
  watch(EPOLL_CTL_MOD, index, unsent ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Engine::watch(int operation, std::size_t index, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = std::uint64_t{lives_[index]} << 32U | index;
  ::epoll_ctl(epoll_, operation, links_[index].fd(), &event);
}

}  // namespace hubbub::load
