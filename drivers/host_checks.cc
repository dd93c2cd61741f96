// SPDX-License-Identifier: Apache-2.0
#include "drivers/host_checks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <net/if.h>
#include <sched.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace castgate {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;

std::uint64_t number_in(const fs::path& file) {
  std::uint64_t value = 0;
  std::ifstream(file) >> value;
  return value;
}

// hugepages-2048kB → 2097152; 0 for any other name.
std::uint64_t page_bytes(std::string_view directory) {
  constexpr std::string_view kPrefix = "hugepages-";
  if (!directory.starts_with(kPrefix)) return 0;
  directory.remove_prefix(kPrefix.size());
  std::uint64_t kib = 0;
  std::from_chars(directory.data(), directory.data() + directory.size(), kib);
  return kib * kKiB;
}

}  // namespace

Result<void> check_core(unsigned core) {
  cpu_set_t before;
  cpu_set_t wanted;
  CPU_ZERO(&before);
  CPU_ZERO(&wanted);
  if (core >= CPU_SETSIZE) return fail(fmt::format("core {}: no such core", core));
  CPU_SET(core, &wanted);
  sched_getaffinity(0, sizeof before, &before);
  if (sched_setaffinity(0, sizeof wanted, &wanted) != 0) {
    return fail(
        fmt::format("core {} does not exist or is closed to this process: it has {} cores, "
                    "see /sys/devices/system/cpu/online and the service's AllowedCPUs",
                    core, sysconf(_SC_NPROCESSORS_ONLN)));
  }
  sched_setaffinity(0, sizeof before, &before);
  return {};
}

Result<void> check_hugepages(std::uint64_t bytes, const std::string& sysfs) {
  std::uint64_t free_bytes = 0;
  std::uint64_t page = 0;  // the size that the advice names: the smallest there is
  std::uint64_t pages_of_that_size = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(sysfs, none)) {
    const std::uint64_t size = page_bytes(entry.path().filename().string());
    if (size == 0) continue;
    free_bytes += size * number_in(entry.path() / "free_hugepages");
    if (page != 0 && size > page) continue;
    page = size;
    pages_of_that_size = number_in(entry.path() / "nr_hugepages");
  }
  if (free_bytes >= bytes) return {};
  if (page == 0) return fail("hugepages: this kernel has none; write appliance.hugepages: none");
  const std::uint64_t missing = (bytes - free_bytes + page - 1) / page;
  return fail(fmt::format(
      "hugepages: {} MiB are needed (appliance.hugepages), {} MiB are free; {} more pages of {} "
      "kB: "
      "sysctl -w vm.nr_hugepages={}, or write appliance.hugepages: none",
      bytes / kMiB, free_bytes / kMiB, missing, page / kKiB, pages_of_that_size + missing));
}

Result<void> check_pci_device(const std::string& address, const std::string& sysfs) {
  // Their kernel drivers and DPDK share the device: nothing to bind.
  constexpr std::array<std::string_view, 3> kShared{"mlx5_core", "mlx4_core", "mana"};
  constexpr std::array<std::string_view, 3> kHandsOver{"vfio-pci", "igb_uio", "uio_pci_generic"};
  const std::string full = address.size() == std::strlen("3b:00.0") ? "0000:" + address : address;
  const fs::path device = fs::path(sysfs) / full;
  std::error_code none;
  if (!fs::exists(device, none)) {
    return fail(fmt::format("{}: no such PCI device; lspci -D lists them", full));
  }
  const std::string driver = fs::read_symlink(device / "driver", none).filename().string();
  const auto is_driver = [&](std::string_view name) { return name == driver; };
  if (std::ranges::any_of(kShared, is_driver) || std::ranges::any_of(kHandsOver, is_driver)) {
    return {};
  }
  return fail(fmt::format(
      "{}: {}; hand it over: modprobe vfio-pci && "
      "dpdk-devbind.py --bind=vfio-pci {}",
      full, driver.empty() ? "no driver is bound" : "the kernel's " + driver + " has it", full));
}

Result<void> check_interface(const std::string& interface) {
  if (if_nametoindex(interface.c_str()) == 0) {
    return fail(
        fmt::format("no interface {} in this network namespace; ip link lists them", interface));
  }
  const int raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (raw < 0) {
    return fail(
        fmt::format("{}: {}; a port on a kernel interface needs CAP_NET_RAW and "
                    "CAP_NET_ADMIN: run as root or by the service",
                    interface, errno_text()));
  }
  close(raw);
  return {};
}

}  // namespace castgate
