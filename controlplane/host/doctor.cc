// SPDX-License-Identifier: Apache-2.0
#include "controlplane/host/doctor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <set>
#include <sstream>

#include "controlplane/host/cpu_list.h"
#include "controlplane/host/door_files.h"
#include "controlplane/host/host_check.h"
#include "controlplane/host/host_files.h"
#include "dataplane/base/device_string.h"

namespace castgate {
namespace {

namespace fs = std::filesystem;
using State = HostFinding::State;

// The kernel's command line is changed the same way for every setting of it.
std::string boot_option(const std::string& option) {
  return fmt::format(
      "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{} /' /etc/default/grub && sudo update-grub  "
      "# then reboot",
      option);
}

class Doctor {
 public:
  Doctor(const Spec* spec, const fs::path& root) : spec_(spec), root_(root) {}

  std::vector<HostFinding> examine() {
    processor();
    clock();
    cores();
    hugepages();
    rights();
    iommu();
    if (spec_ != nullptr) file();
    return std::move(out_);
  }

 private:
  void say(State state, std::string subject, std::string found, std::string cure = {}) {
    out_.push_back({state, std::move(subject), std::move(found), std::move(cure)});
  }
  void processor();
  void clock();
  void cores();
  void core(unsigned number);
  void hugepages();
  void rights();
  void iommu();
  void sysctls(const PortSpec& port);
  void neighbours(bool six);
  void file();
  void distance(const PortSpec& port, const std::string& address);

  fs::path cpu(unsigned number) const {
    return root_ / fmt::format("sys/devices/system/cpu/cpu{}", number);
  }
  bool has_pci_port() const {
    return spec_ != nullptr && std::ranges::any_of(spec_->ports, [](const PortSpec& port) {
             return pci_address_of(port.device).has_value();
           });
  }
  // Ports that Linux does not see need a TAP twin, in a namespace of its own.
  bool needs_twin() const {
    return spec_ != nullptr && std::ranges::any_of(spec_->ports, [](const PortSpec& port) {
             return !kernel_is_host(port.device) &&
                    std::ranges::any_of(port.networks,
                                        [](const auto& n) { return !n.addresses.empty(); });
           });
  }

  const Spec* spec_;
  const fs::path& root_;
  std::vector<HostFinding> out_;
};

// What Debian's DPDK was compiled for, and what its loops gain from.
void Doctor::processor() {
  std::ifstream info(root_ / "proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; flags.empty() && std::getline(info, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;) flags.insert(word);
  }
  if (flags.empty()) return;
  std::vector<std::string> missing;
  for (const char* needed : {"ssse3", "sse4_1", "sse4_2", "popcnt"}) {
    if (!flags.contains(needed)) missing.emplace_back(needed);
  }
  if (!missing.empty()) {
    return say(State::Lack, "processor", fmt::format("without {}", fmt::join(missing, ", ")),
               "# DPDK does not run on this processor: take one made after 2010");
  }
  const bool steady = flags.contains("constant_tsc") && flags.contains("nonstop_tsc");
  say(steady ? State::Good : State::Advice, "processor",
      steady ? "SSE 4.2, a time stamp counter of constant rate"
             : "its time stamp counter may change its rate or stop",
      steady ? "" : boot_option("processor.max_cstate=1"));
}

void Doctor::clock() {
  const std::string source =
      first_line(root_ / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  if (source.empty()) return;
  const bool tsc = source == "tsc";
  say(tsc ? State::Good : State::Advice, "clock", "the kernel's source is " + source,
      tsc ? "" : boot_option("tsc=reliable"));
}

void Doctor::cores() {
  const auto online = read_cpu_list(first_line(root_ / "sys/devices/system/cpu/online"));
  if (online.empty()) return;
  if (online.size() < 2) {
    say(State::Advice, "cores", "one core only: workers and control plane share it",
        "# give the machine a second core");
  } else {
    say(State::Good, "cores", fmt::format("{} online", online.size()));
  }
  if (spec_ == nullptr) return;
  for (const unsigned number : spec_->appliance.worker_cores) {
    if (online.contains(number)) core(number);
  }
}

// What takes a worker's core away from it.
void Doctor::core(unsigned number) {
  const std::string subject = fmt::format("core {}", number);
  const auto isolated = read_cpu_list(first_line(root_ / "sys/devices/system/cpu/isolated"));
  const bool alone = isolated.contains(number);
  say(alone ? State::Good : State::Advice, subject,
      alone ? "isolated" : "shared with other programs, which delay packets by milliseconds",
      alone ? "" : boot_option(fmt::format("isolcpus={0} nohz_full={0} rcu_nocbs={0}", number)));
  const fs::path governor = cpu(number) / "cpufreq/scaling_governor";
  if (const std::string word = first_line(governor); !word.empty() && word != "performance") {
    say(State::Advice, subject, "its clock rate follows the load: governor " + word,
        fmt::format("echo performance | sudo tee {}", governor.string()));
  }
  auto siblings = read_cpu_list(first_line(cpu(number) / "topology/thread_siblings_list"));
  siblings.erase(number);
  for (const unsigned other : spec_->appliance.worker_cores) {
    if (other < number || !siblings.contains(other)) continue;
    say(State::Advice, subject,
        fmt::format("is the same physical core as worker core {}: each has half of it", other),
        fmt::format("# in appliance.worker_cores, replace one of {} and {}", number, other));
  }
}

// What the file asks for is check_host's; here whether there are any at all.
void Doctor::hugepages() {
  const fs::path kinds = root_ / "sys/kernel/mm/hugepages";
  std::uint64_t total_kib = 0;
  for (const std::string& name : names_in(kinds)) {
    if (!name.starts_with("hugepages-")) continue;
    const std::uint64_t kib = std::strtoull(name.c_str() + 10, nullptr, 10);
    total_kib += kib * number_in(kinds / name / "nr_hugepages");
  }
  if (total_kib != 0) {
    return say(State::Good, "hugepages", fmt::format("{} MiB", total_kib / 1024));
  }
  const fs::path usual = kinds / "hugepages-2048kB/nr_hugepages";
  const bool possible = fs::exists(usual);
  say(has_pci_port() && possible ? State::Lack : State::Advice, "hugepages",
      possible ? "none: ordinary pages work, a few percent slower" : "this kernel has none",
      possible ? fmt::format("echo 512 | sudo tee {}  # 1 GiB", usual.string()) : "");
}

// Bits of capabilities(7).
void Doctor::rights() {
  constexpr unsigned kNetAdmin = 12;
  constexpr unsigned kNetRaw = 13;
  constexpr unsigned kSysAdmin = 21;
  std::ifstream status(root_ / "proc/self/status");
  std::uint64_t held = 0;
  bool known = false;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    held = std::strtoull(line.c_str() + 7, nullptr, 16);
    known = true;
  }
  if (!known) return;
  std::vector<std::string_view> missing;
  if ((held >> kNetAdmin & 1) == 0) missing.emplace_back("cap_net_admin");
  if ((held >> kNetRaw & 1) == 0) missing.emplace_back("cap_net_raw");
  if (needs_twin() && (held >> kSysAdmin & 1) == 0) missing.emplace_back("cap_sys_admin");
  if (missing.empty()) return say(State::Good, "rights", "what ports and memberships need");
  say(State::Lack, "rights", fmt::format("without {}", fmt::join(missing, ", ")),
      fmt::format("sudo setcap {}+ep \"$(command -v castgate)\"  # or run it as root",
                  fmt::join(missing, ",")));
}

void Doctor::iommu() {
  if (!has_pci_port()) return;
  if (!names_in(root_ / "sys/class/iommu").empty()) {
    return say(State::Good, "iommu", "on: vfio-pci can be used");
  }
  std::ifstream info(root_ / "proc/cpuinfo");
  std::string text;
  std::getline(info, text, '\0');
  const bool amd = text.find("AuthenticAMD") != std::string::npos;
  say(State::Advice, "iommu",
      "off: vfio-pci needs it, or its unsafe mode, in which a device reaches all memory",
      amd ? boot_option("iommu=pt") : boot_option("intel_iommu=on iommu=pt"));
}

// With strict reverse path filtering Linux drops the queries of a querier in another subnet,
// answers none, and the switches forget the port.
void Doctor::sysctls(const PortSpec& port) {
  const std::string interface = kernel_interface(port.device);
  if (interface.empty() || !kernel_is_host(port.device)) return;
  const fs::path conf = root_ / "proc/sys/net/ipv4/conf";
  const auto filter =
      std::max(number_in(conf / "all/rp_filter"), number_in(conf / interface / "rp_filter"));
  if (filter != 1) return;
  say(State::Advice, interface,
      "rp_filter is strict: queries from another subnet are dropped, and memberships end",
      fmt::format("sudo sysctl -w net.ipv4.conf.{}.rp_filter=2", interface));
}

// Clients of networks that are joined directly are neighbours, which Linux finds for us.
void Doctor::neighbours(bool six) {
  const std::string name = six ? "ipv6" : "ipv4";
  const auto most = number_in(root_ / "proc/sys/net" / name / "neigh/default/gc_thresh3");
  std::uint64_t clients = 0;
  for (const StreamSpec& stream : spec_->streams) {
    for (const UnicastSpec& unicast : stream.unicasts) clients += unicast.max_clients;
  }
  clients = std::min<std::uint64_t>(clients, spec_->appliance.max_clients);
  if (most == 0 || clients <= most) return;
  say(State::Advice, "neighbours",
      fmt::format("Linux keeps {} {} neighbours, and clients may be {}: what is sent to more of "
                  "them in networks of our own is dropped as no_neighbour",
                  most, six ? "IPv6" : "IPv4", clients),
      fmt::format("sudo sysctl -w net.{}.neigh.default.gc_thresh3={}", name,
                  std::bit_ceil(clients * 2)));
}

// What the file asks of the host, as `castgate check` has it.
void Doctor::file() {
  std::vector<HostComplaint> lacks = check_host(*spec_, root_);
  std::ranges::copy(check_door_files(spec_->doors), std::back_inserter(lacks));
  for (const HostComplaint& lack : lacks) {
    const auto parting = lack.what.find("; ");
    const auto command = lack.what.find(": ", parting);
    std::string cure;
    if (command != std::string::npos && lack.what.find("sudo", command) != std::string::npos) {
      cure = lack.what.substr(command + 2);
    } else if (parting != std::string::npos) {
      cure = "# " + lack.what.substr(parting + 2);
    }
    say(lack.is_error ? State::Lack : State::Advice, lack.key, lack.what.substr(0, parting), cure);
  }
  for (const bool six : {false, true}) neighbours(six);
  for (const PortSpec& port : spec_->ports) {
    sysctls(port);
    if (const auto address = pci_address_of(port.device)) distance(port, *address);
  }
}

// A NIC on the other socket costs every packet a way across.
void Doctor::distance(const PortSpec& port, const std::string& address) {
  const fs::path device = root_ / "sys/bus/pci/devices" / address;
  const std::string node = first_line(device / "numa_node");
  if (node.empty() || node.starts_with("-")) return;
  for (const unsigned number : spec_->appliance.worker_cores) {
    if (!fs::exists(cpu(number)) || fs::exists(cpu(number) / ("node" + node))) continue;
    const fs::path near = root_ / "sys/devices/system/node" / ("node" + node) / "cpulist";
    say(State::Advice, port.name,
        fmt::format("is on NUMA node {}, worker core {} is not", node, number),
        fmt::format("# appliance.worker_cores: take of {}", first_line(near)));
  }
}

}  // namespace

std::vector<HostFinding> examine_host(const Spec* spec, const fs::path& root) {
  return Doctor(spec, root).examine();
}

}  // namespace castgate
