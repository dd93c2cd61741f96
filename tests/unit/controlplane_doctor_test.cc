// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "controlplane/host/doctor.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

namespace fs = std::filesystem;
using State = HostFinding::State;

constexpr const char* kFlags =
    "flags : fpu ssse3 sse4_1 sse4_2 popcnt constant_tsc nonstop_tsc aes\n";

// A host of files that lacks nothing: four isolated cores, hugepages, an IOMMU, two NICs.
class DoctorTest : public testing::Test {
 protected:
  DoctorTest() {
    put("proc/cpuinfo", std::string("vendor_id : GenuineIntel\n") + kFlags);
    put("proc/self/status", "Name:\tcastgate\nCapEff:\t000001ffffffffff\n");
    put("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    put("sys/devices/system/cpu/online", "0-3\n");
    put("sys/devices/system/cpu/isolated", "1-3\n");
    put("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
    put("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
    put("sys/class/iommu/dmar0/name", "x\n");
    put("sys/class/net/blue0/operstate", "up\n");
    put("sys/devices/system/cpu/cpu2/node0/cpulist", "0-3\n");
    const fs::path device = root_ / "sys/bus/pci/devices/0000:3b:00.0";
    fs::create_directories(device);
    fs::create_symlink("../../drivers/vfio-pci", device / "driver");
    spec_.appliance.worker_cores = {2};
    add_port("red", "0000:3b:00.0");
    add_port("blue", "net_af_packet0,iface=blue0");
  }

  void put(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void add_port(const char* name, const char* device) {
    PortSpec& port = spec_.ports.emplace_back();
    port.name = name;
    port.device = device;
  }
  std::vector<HostFinding> examine() const { return examine_host(&spec_, root_); }
  // The one thing that is not good.
  HostFinding only() const {
    std::vector<HostFinding> wrong;
    for (const HostFinding& finding : examine()) {
      if (finding.state != State::Good) wrong.push_back(finding);
    }
    EXPECT_EQ(wrong.size(), 1u);
    return wrong.empty() ? HostFinding{} : wrong.front();
  }

  test::Scratch scratch_;
  fs::path root_ = scratch_ / "root";
  Spec spec_;
};

TEST_F(DoctorTest, healthy_host_is_told_what_is_good) {
  const auto findings = examine();
  EXPECT_EQ(findings.size(), 7u);
  for (const HostFinding& finding : findings) {
    EXPECT_EQ(finding.state, State::Good) << finding.subject << ": " << finding.found;
    EXPECT_EQ(finding.cure, "") << finding.subject;
    EXPECT_NE(finding.found, "") << finding.subject;
  }
}

TEST_F(DoctorTest, host_that_tells_nothing_is_not_accused) {
  EXPECT_TRUE(std::ranges::all_of(examine_host(nullptr, root_ / "nowhere"),
                                  [](const auto& f) { return f.state != State::Lack; }));
}

TEST_F(DoctorTest, processor_without_what_dpdk_needs) {
  put("proc/cpuinfo", "flags : fpu sse4_1 ssse3 constant_tsc nonstop_tsc\n");
  const HostFinding said = only();
  EXPECT_EQ(said.state, State::Lack);
  EXPECT_EQ(said.found, "without sse4_2, popcnt");
}

TEST_F(DoctorTest, time_stamp_counter_that_may_stop) {
  put("proc/cpuinfo", "flags : ssse3 sse4_1 sse4_2 popcnt constant_tsc\n");
  EXPECT_EQ(only().subject, "processor");
  put("proc/cpuinfo", kFlags);
  put("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
  EXPECT_EQ(only().found, "the kernel's source is hpet");
}

TEST_F(DoctorTest, more_clients_than_the_kernel_knows_neighbours) {
  put("proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024\n");
  put("proc/sys/net/ipv6/neigh/default/gc_thresh3", "65536\n");
  StreamSpec& stream = spec_.streams.emplace_back();
  stream.unicasts.push_back({.name = "homes", .max_clients = 1000});
  spec_.appliance.max_clients = 60'000;
  EXPECT_EQ(examine().size(), 7u);
  stream.unicasts.push_back({.name = "offices", .max_clients = 4000});
  EXPECT_EQ(only().found,
            "Linux keeps 1024 IPv4 neighbours, and clients may be 5000: what is sent to more of "
            "them in networks of our own is dropped as no_neighbour");
  EXPECT_EQ(only().cure, "sudo sysctl -w net.ipv4.neigh.default.gc_thresh3=16384");
  spec_.appliance.max_clients = 1000;  // of all outputs
  EXPECT_EQ(examine().size(), 7u);
}

TEST_F(DoctorTest, core_that_others_share_comes_with_the_boot_option) {
  put("sys/devices/system/cpu/isolated", "1,3\n");
  const HostFinding said = only();
  EXPECT_EQ(said.subject, "core 2");
  EXPECT_EQ(said.state, State::Advice);
  EXPECT_NE(said.cure.find("isolcpus=2 nohz_full=2 rcu_nocbs=2"), std::string::npos) << said.cure;
}

TEST_F(DoctorTest, core_whose_clock_rate_follows_the_load) {
  put("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n");
  const HostFinding said = only();
  EXPECT_EQ(said.found, "its clock rate follows the load: governor powersave");
  EXPECT_NE(said.cure.find("/cpu2/cpufreq/scaling_governor"), std::string::npos);
}

TEST_F(DoctorTest, two_workers_on_one_physical_core) {
  spec_.appliance.worker_cores = {1, 2};
  for (const char* core : {"cpu1", "cpu2"}) {
    put(std::string("sys/devices/system/cpu/") + core + "/topology/thread_siblings_list", "1-2\n");
  }
  EXPECT_EQ(only().found, "is the same physical core as worker core 2: each has half of it");
}

TEST_F(DoctorTest, hugepages_are_needed_by_a_nic_and_advised_to_others) {
  put("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
  EXPECT_EQ(only().state, State::Lack);
  spec_.ports.erase(spec_.ports.begin());
  const HostFinding said = only();
  EXPECT_EQ(said.state, State::Advice);
  EXPECT_TRUE(said.cure.starts_with("echo 512 | sudo tee ")) << said.cure;
}

TEST_F(DoctorTest, missing_rights_are_named_with_what_grants_them) {
  put("proc/self/status", "CapEff:\t0000000000002000\n");  // cap_net_raw alone
  EXPECT_EQ(only().found, "without cap_net_admin");
  spec_.ports[0].networks[0].addresses = {{IpAddress::v4(0x0a000001), 24}};  // wants a twin
  const HostFinding said = only();
  EXPECT_EQ(said.state, State::Lack);
  EXPECT_TRUE(said.cure.starts_with("sudo setcap cap_net_admin,cap_sys_admin+ep ")) << said.cure;
}

TEST_F(DoctorTest, nic_without_an_iommu) {
  fs::remove_all(root_ / "sys/class/iommu");
  EXPECT_NE(only().cure.find("intel_iommu=on"), std::string::npos);
  put("proc/cpuinfo", std::string("vendor_id : AuthenticAMD\n") + kFlags);
  EXPECT_EQ(only().cure.find("intel_iommu"), std::string::npos);
}

TEST_F(DoctorTest, nic_on_another_numa_node_than_its_worker) {
  put("sys/bus/pci/devices/0000:3b:00.0/numa_node", "1\n");
  put("sys/devices/system/node/node1/cpulist", "8-15\n");
  const HostFinding said = only();
  EXPECT_EQ(said.found, "is on NUMA node 1, worker core 2 is not");
  EXPECT_EQ(said.cure, "# appliance.worker_cores: take of 8-15");
  put("sys/bus/pci/devices/0000:3b:00.0/numa_node", "0\n");
  EXPECT_EQ(examine().size(), 7u);
}

TEST_F(DoctorTest, strict_reverse_path_filter_ends_memberships) {
  put("proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
  put("proc/sys/net/ipv4/conf/blue0/rp_filter", "0\n");
  EXPECT_EQ(only().cure, "sudo sysctl -w net.ipv4.conf.blue0.rp_filter=2");
  put("proc/sys/net/ipv4/conf/blue0/rp_filter", "2\n");
  EXPECT_EQ(examine().size(), 7u);
}

TEST_F(DoctorTest, what_the_file_asks_comes_with_the_command_alone) {
  put("sys/class/net/blue0/operstate", "down\n");
  const HostFinding said = only();
  EXPECT_EQ(said.subject, "ports.blue.device");
  EXPECT_EQ(said.found, "interface blue0 is down");
  EXPECT_EQ(said.cure, "sudo ip link set blue0 up");
  put("sys/class/net/blue0/operstate", "up\n");
  spec_.appliance.worker_cores = {9};
  EXPECT_EQ(only().cure, "# there are: 0, 1, 2, 3");
}

TEST(DoctorCommand, findings_are_json_and_a_lack_is_exit_1) {
  const test::Scratch scratch;
  const std::string file = scratch.write("lacking.yaml", R"(
schema: 1
ports: {a: {device: "net_af_packet0,iface=nosuch0"}}
streams:
  s: {legs: {A: {port: a, to: 239.1.0.1:5000}},
      outputs: {o: {port: a, to: 239.9.0.1:5000, source: 10.0.0.9}}}
)");
  const auto said = test::run("$CASTGATE doctor --json " + file);
  EXPECT_EQ(said.exit_code, 1) << said.err;
  EXPECT_NE(said.out.find(R"("found": "no interface nosuch0 here")"), std::string::npos)
      << said.out;
  EXPECT_NE(said.out.find(R"("state": "lack")"), std::string::npos);
  EXPECT_EQ(test::run("$CASTGATE doctor " + file + ".no").exit_code, 2);
}

}  // namespace
}  // namespace castgate
