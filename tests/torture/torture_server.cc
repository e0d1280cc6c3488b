// The server of the torture run: hubbub as a library with counters that clients move by calls, so that at the
// end each counter tells how often its calls ran. `torture_server [ARGUMENTS of hubbub serve]`.
//   counter.add   {counter, n}      adds at once and answers at once
//   counter.later {counter, n, ms}  adds at once and answers `ms` later, from another thread
//   counter.get   {counter}         tells
// All answer the counter's value after what they did. A client's calls run in the order it sent them, so if
// it alone uses a counter and adds 1 each time, its k-th call answers k.
#include <unistd.h>

#include <boost/describe/class.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hubbub/core/rules.h"
#include "hubbub/server/cli.h"
#include "hubbub/server/server.h"

namespace {

using Clock = std::chrono::steady_clock;
using hubbub::Call, hubbub::Deferred, hubbub::Result;

constexpr std::size_t kNameMax = 64;
constexpr int kLaterMaxMs = 10'000;

struct Add {
  std::string counter;
  std::int64_t n = 1;
  static constexpr auto rules() { return hubbub::rules(hubbub::length(&Add::counter, 1, kNameMax)); }
};
BOOST_DESCRIBE_STRUCT(Add, (), (counter, n))

struct AddLater {
  std::string counter;
  std::int64_t n = 1;
  int ms = 0;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::length(&AddLater::counter, 1, kNameMax),
                         hubbub::in_range(&AddLater::ms, 0, kLaterMaxMs));
  }
};
BOOST_DESCRIBE_STRUCT(AddLater, (), (counter, n, ms))

struct Get {
  std::string counter;
};
BOOST_DESCRIBE_STRUCT(Get, (), (counter))

// Runs jobs at their time, on a thread of its own. What has not run when it ends is dropped.
class Timetable {
 public:
  void at(Clock::time_point when, std::move_only_function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.emplace(when, std::move(job));
    }
    changed_.notify_one();
  }

 private:
  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      if (jobs_.empty()) {
        changed_.wait(lock, stop, [this] { return !jobs_.empty(); });
        continue;
      }
      const auto first = jobs_.begin()->first;
      if (first > Clock::now()) {
        changed_.wait_until(lock, stop, first, [this, first] { return jobs_.begin()->first < first; });
        continue;
      }
      auto job = std::move(jobs_.extract(jobs_.begin()).mapped());
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<Clock::time_point, std::move_only_function<void()>> jobs_;
  std::jthread thread_{
      [this](const std::stop_token& stop) { work(stop); }};  // last: ends before what it uses
};

// The counters. Handlers run on the hub's thread only, so there is no lock.
class Counters {
 public:
  Result<std::int64_t> add(Call&, const Add& params) { return values_[params.counter] += params.n; }

  Result<Deferred> later(Call& call, const AddLater& params) {
    const std::int64_t value = values_[params.counter] += params.n;
    timetable_.at(Clock::now() + std::chrono::milliseconds(params.ms),
                  [reply = call.defer<std::int64_t>(), value]() mutable { reply.send(value); });
    return Deferred{};
  }

  Result<std::int64_t> get(Call&, const Get& params) {
    const auto found = values_.find(params.counter);
    return found == values_.end() ? 0 : found->second;
  }

 private:
  std::map<std::string, std::int64_t> values_;
  Timetable timetable_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments{"serve"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  const auto command_line = hubbub::parse_command_line(arguments, hubbub::hubbub_environment(environ));
  const auto config = command_line ? hubbub::serve_config(*command_line)
                                   : std::expected<hubbub::Config, hubbub::ProgramResult>(
                                         std::unexpect, command_line.error());
  if (!config) {
    std::fputs((config.error().out + config.error().err).c_str(), stderr);
    return static_cast<int>(config.error().code);
  }
  Counters counters;
  hubbub::Server server(*config);
  server.methods().add<Add, std::int64_t>("counter.add", std::bind_front(&Counters::add, &counters));
  server.methods().add<AddLater, std::int64_t>("counter.later", std::bind_front(&Counters::later, &counters));
  server.methods().add<Get, std::int64_t>("counter.get", std::bind_front(&Counters::get, &counters));
  return server.run();
}
