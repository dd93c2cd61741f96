// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "dataplane/base/error.h"

namespace castgate {

// Keeps a second appliance off a device for as long as it lives. An abstract socket of this network
// namespace carries the name, so nothing is left behind by a crash.
class DeviceLock {
 public:
  DeviceLock() = default;
  // The error names the process that has the device.
  static Result<DeviceLock> take(const std::string& device);

  DeviceLock(DeviceLock&& other) noexcept;
  DeviceLock& operator=(DeviceLock&& other) noexcept;
  ~DeviceLock();

 private:
  explicit DeviceLock(int socket) noexcept : socket_(socket) {}

  int socket_ = -1;
};

}  // namespace castgate
