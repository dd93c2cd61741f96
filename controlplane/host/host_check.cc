// SPDX-License-Identifier: Apache-2.0
#include "controlplane/host/host_check.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <regex>

#include "controlplane/host/cpu_list.h"
#include "controlplane/host/host_files.h"
#include "pipelines/complaints.h"

namespace castgate {
namespace {

namespace fs = std::filesystem;
using Lacks = std::vector<HostComplaint>;

constexpr std::uint64_t kMebibyte = 1ull << 20;

// Dots in a port's name are no steps of the path.
std::string device_key(const PortSpec& port) {
  return "ports." + path_step(port.name) + ".device";
}

void check_cores(const ApplianceSpec& appliance, const fs::path& root, Lacks& out) {
  const auto online = read_cpu_list(first_line(root / "sys/devices/system/cpu/online"));
  if (online.empty()) return;  // no sysfs: nothing to compare with
  const auto require = [&](const char* key, unsigned core) {
    if (online.contains(core)) return;
    out.push_back(
        {true, key,
         fmt::format("core {} is not online here; there are: {}", core, fmt::join(online, ", "))});
  };
  for (const unsigned core : appliance.worker_cores) require("appliance.worker_cores", core);
  require("appliance.control_core", appliance.control_core);
}

// One kind of huge page: a directory hugepages-2048kB with its counts.
struct HugepageKind {
  fs::path directory;
  std::uint64_t page_bytes = 0;
  std::uint64_t free_bytes = 0;
};

std::vector<HugepageKind> hugepages_of(const fs::path& root) {
  static const std::regex name_form("hugepages-([0-9]+)kB");
  std::vector<HugepageKind> kinds;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root / "sys/kernel/mm/hugepages", none)) {
    std::smatch match;
    const std::string name = entry.path().filename();
    if (!std::regex_match(name, match, name_form)) continue;
    const std::uint64_t page = std::stoull(match[1]) * 1024;
    kinds.push_back({entry.path(), page, page * number_in(entry.path() / "free_hugepages")});
  }
  std::ranges::sort(kinds, {}, &HugepageKind::page_bytes);
  return kinds;
}

void check_memory(const ApplianceSpec& appliance, const fs::path& root, Lacks& out) {
  const std::uint64_t asked = appliance.hugepages_bytes;
  if (asked == 0) return;
  const auto kinds = hugepages_of(root);
  std::uint64_t free = 0;
  for (const HugepageKind& kind : kinds) free += kind.free_bytes;
  if (free >= asked) return;
  std::string cure = "this kernel has none; write hugepages: none";
  if (!kinds.empty()) {
    const HugepageKind& smallest = kinds.front();
    const std::uint64_t more = (asked - free + smallest.page_bytes - 1) / smallest.page_bytes;
    cure = fmt::format("ask for them: echo {} | sudo tee {}",
                       number_in(smallest.directory / "nr_hugepages") + more,
                       (smallest.directory / "nr_hugepages").string());
  }
  out.push_back(
      {true, "appliance.hugepages",
       fmt::format("{} MiB asked, {} MiB free; {}", asked / kMebibyte, free / kMebibyte, cure)});
}

// The interface below a kernel port, as in net_af_packet0,iface=blue0.
std::optional<std::string> interface_of(const std::string& device) {
  if (!device.starts_with("net_af_packet") && !device.starts_with("net_af_xdp")) return {};
  static const std::regex interface_form("[^,]*,(?:.*,)?iface=([^,]+).*");
  std::smatch match;
  if (!std::regex_match(device, match, interface_form)) return {};
  return match[1];
}

void check_interface(const PortSpec& port, const std::string& name, const fs::path& root,
                     Lacks& out) {
  const fs::path net = root / "sys/class/net";
  if (!fs::exists(net / name)) {
    out.push_back(
        {true, device_key(port),
         fmt::format("no interface {} here; there are: {}", name, fmt::join(names_in(net), ", "))});
  } else if (first_line(net / name / "operstate") == "down") {
    out.push_back({false, device_key(port),
                   fmt::format("interface {} is down; raise it: sudo ip link set "
                               "{} up",
                               name, name)});
  }
}

void check_pci(const PortSpec& port, const std::string& address, const fs::path& root, Lacks& out) {
  const fs::path device = root / "sys/bus/pci/devices" / address;
  if (!fs::exists(device)) {
    out.push_back({true, device_key(port),
                   fmt::format("no PCI device {} here; lspci -D lists them", address)});
    return;
  }
  // mlx4 and mlx5 share the card with the kernel's driver; all others need it given up.
  static const std::regex usable_form("vfio-pci|uio_pci_generic|igb_uio|mlx[45]_core");
  std::error_code none;
  const std::string driver = fs::read_symlink(device / "driver", none).filename();
  if (std::regex_match(driver, usable_form)) return;
  out.push_back({true, device_key(port),
                 fmt::format("{} is bound to {}; give it to DPDK: sudo "
                             "dpdk-devbind.py --bind=vfio-pci {}",
                             address, driver.empty() ? "no driver" : driver, address)});
}

}  // namespace

std::vector<HostComplaint> check_host(const Spec& spec, const fs::path& root) {
  Lacks out;
  check_cores(spec.appliance, root, out);
  check_memory(spec.appliance, root, out);
  for (const PortSpec& port : spec.ports) {
    if (const auto name = interface_of(port.device)) check_interface(port, *name, root, out);
    if (const auto address = pci_address_of(port.device)) check_pci(port, *address, root, out);
  }
  return out;
}

}  // namespace castgate
