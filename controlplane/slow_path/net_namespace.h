// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/error.h"

namespace castgate {

// A network namespace without a name: it goes with the last descriptor of it and of its sockets,
// however the process ends. Forwarding is off, so that the host stack never becomes a router.
class NetNamespace {
 public:
  static Result<NetNamespace> make();

  // Runs `work` in the namespace on a thread of its own and waits for it. Sockets that it opens
  // stay in the namespace; the calling thread never enters it.
  Result<void> run(const std::function<Result<void>()>& work) const;

 private:
  explicit NetNamespace(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// Writes a kernel setting below /proc/sys/net of the calling thread's namespace.
Result<void> set_kernel(const std::string& setting, const std::string& value);
// As it is now; empty where it cannot be read.
std::string kernel_setting(const std::string& setting);

}  // namespace castgate
