// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace castgate {

// The one thread for what waits for a disk. Jobs run one after the other, in their order.
class BulkThread {
 public:
  using Job = std::function<void()>;

  BulkThread() : thread_([this](const std::stop_token& stop) { run(stop); }) {}
  // After the last job that was given.
  ~BulkThread() = default;
  BulkThread(const BulkThread&) = delete;
  BulkThread& operator=(const BulkThread&) = delete;

  void give(Job job);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any more_;
  std::deque<Job> jobs_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace castgate
