// SPDX-License-Identifier: Apache-2.0
#include "drivers/device_lock.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace castgate {
namespace {

// A leading NUL makes the name abstract: in no file system, gone with its process.
socklen_t name_socket(const std::string& device, sockaddr_un& address) {
  const std::string name = "castgate/device/" + device;
  address.sun_family = AF_UNIX;
  const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  std::memcpy(&address.sun_path[1], name.data(), length);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
}

// Who holds the name; 0 where that cannot be told.
pid_t owner_of(const sockaddr_un& address, socklen_t length) {
  const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (peer < 0) return 0;
  if (connect(peer, reinterpret_cast<const sockaddr*>(&address), length) == 0) {
    getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  }
  close(peer);
  return credentials.pid;
}

}  // namespace

Result<DeviceLock> DeviceLock::take(const std::string& device) {
  sockaddr_un address{};
  const socklen_t length = name_socket(device, address);
  DeviceLock lock(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(lock.socket_, reinterpret_cast<const sockaddr*>(&address), length) == 0) {
    listen(lock.socket_, 1);
    return lock;
  }
  if (errno != EADDRINUSE) return fail(fmt::format("{}: {}", device, errno_text()));
  return fail(fmt::format("{}: another castgate has this device (process {}); stop it first",
                          device, owner_of(address, length)));
}

DeviceLock::DeviceLock(DeviceLock&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

DeviceLock& DeviceLock::operator=(DeviceLock&& other) noexcept {
  std::swap(socket_, other.socket_);
  return *this;
}

DeviceLock::~DeviceLock() {
  if (socket_ >= 0) close(socket_);
}

}  // namespace castgate
