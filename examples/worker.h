// Worker: a thread that does one job after the other, for what takes too long for the hub's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

class Worker {
 public:
  // Any thread.
  void post(std::move_only_function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    ready_.notify_one();
  }

 private:
  void work(const std::stop_token& stop) {
    for (;;) {
      std::unique_lock lock(mutex_);
      if (!ready_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<std::move_only_function<void()>> jobs_;
  std::jthread thread_{
      [this](const std::stop_token& stop) { work(stop); }};  // last: ends before what it uses
};
