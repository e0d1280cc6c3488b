#include "hubbub/net/mailbox.h"

#include <utility>

namespace hubbub {

bool Mailbox::post(std::move_only_function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (!io_) return false;
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) io_->wake();  // the first wakes; the shard takes all
  return true;
}

void Mailbox::bind() { thread_ = std::this_thread::get_id(); }

void Mailbox::take(std::vector<std::move_only_function<void()>>& out) {
  out.clear();
  const std::lock_guard lock(mutex_);
  std::swap(out, tasks_);
}

void Mailbox::close() {
  std::vector<std::move_only_function<void()>>
      dropped;  // destroyed outside the lock: a task may own a Reply that posts
  {
    const std::lock_guard lock(mutex_);
    io_ = nullptr;
    dropped.swap(tasks_);
  }
}

}  // namespace hubbub
