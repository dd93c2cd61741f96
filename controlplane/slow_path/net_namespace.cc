// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/net_namespace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sched.h>
#include <thread>

namespace castgate {

Result<void> set_kernel(const std::string& setting, const std::string& value) {
  const std::string path = "/proc/sys/net/" + setting;
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file && write(file.get(), value.data(), value.size()) >= 0) return {};
  return fail(fmt::format("{} = {}: {}", path, value, errno_text()));
}

std::string kernel_setting(const std::string& setting) {
  std::ifstream file("/proc/sys/net/" + setting);
  std::string value;
  std::getline(file, value);
  return value;
}

Result<NetNamespace> NetNamespace::make() {
  Result<void> outcome;
  UniqueFd made;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) {
      outcome =
          fail(fmt::format("network namespace of the host stack: {}; it needs CAP_SYS_ADMIN "
                           "and CAP_NET_ADMIN: run as root or by the service",
                           errno_text()));
      return;
    }
    made = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!made) outcome = fail(fmt::format("/proc/thread-self/ns/net: {}", errno_text()));
  }).join();
  if (!outcome) return std::unexpected(outcome.error());
  NetNamespace space(std::move(made));
  outcome = space.run([]() -> Result<void> {
    // IPv4 settings are inherited, so forwarding may be on. Sources reached by no route are normal.
    if (auto good = set_kernel("ipv4/ip_forward", "0"); !good) return good;
    static_cast<void>(set_kernel("ipv4/conf/all/rp_filter", "0"));
    static_cast<void>(set_kernel("ipv4/conf/default/rp_filter", "0"));
    static_cast<void>(set_kernel("ipv6/conf/all/forwarding", "0"));
    static_cast<void>(set_kernel("ipv6/conf/default/accept_ra", "0"));
    return {};
  });
  if (!outcome) return std::unexpected(outcome.error());
  return space;
}

Result<void> NetNamespace::run(const std::function<Result<void>()>& work) const {
  Result<void> outcome;
  std::thread([&] {
    if (setns(fd_.get(), CLONE_NEWNET) != 0) {
      outcome = fail(fmt::format("network namespace of the host stack: {}", errno_text()));
    } else {
      outcome = work();
    }
  }).join();
  return outcome;
}

}  // namespace castgate
