// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/bulk_thread.h"

#include <csignal>
#include <utility>

namespace castgate {

void BulkThread::give(Job job) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
}

void BulkThread::run(const std::stop_token& stop) {
  sigset_t all;  // signals are for the control thread
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  while (true) {
    std::unique_lock lock(mutex_);
    more_.wait(lock, stop, [this] { return !jobs_.empty(); });
    if (jobs_.empty()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
  }
}

}  // namespace castgate
