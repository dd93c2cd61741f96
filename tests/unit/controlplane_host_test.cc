// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gtest/gtest.h>

#include "controlplane/host/cpu_list.h"
#include "controlplane/host/host_check.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

namespace fs = std::filesystem;

TEST(CpuListTest, ranges_and_single_cores_are_read) {
  EXPECT_EQ(read_cpu_list("0-2,5\n"), (std::set<unsigned>{0, 1, 2, 5}));
  EXPECT_EQ(read_cpu_list("7"), (std::set<unsigned>{7}));
  EXPECT_TRUE(read_cpu_list("").empty());
  EXPECT_TRUE(read_cpu_list("none,0-99999999").empty());
}

// A host of files: cores 0 to 3, 100 free huge pages, one interface and one PCI device.
class HostCheckTest : public testing::Test {
 protected:
  HostCheckTest() {
    put("sys/devices/system/cpu/online", "0-3\n");
    put("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "100\n");
    put("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "128\n");
    put("sys/class/net/blue0/operstate", "up\n");
    put("sys/class/net/dim0/operstate", "down\n");
    add_pci("0000:3b:00.0", "vfio-pci");
    add_pci("0000:3b:00.1", "ixgbe");
    spec_.appliance.worker_cores = {1};
  }

  void put(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void add_pci(const std::string& address, const std::string& driver) {
    const fs::path device = root_ / "sys/bus/pci/devices" / address;
    fs::create_directories(device);
    fs::create_symlink("../../drivers/" + driver, device / "driver");
  }
  void add_port(const std::string& device) {
    PortSpec& port = spec_.ports.emplace_back();
    port.name = "red";
    port.device = device;
  }

  std::vector<HostComplaint> check() const { return check_host(spec_, root_); }
  HostComplaint only_complaint() const {
    const auto all = check();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? HostComplaint{} : all.front();
  }

  test::Scratch scratch_;
  fs::path root_ = scratch_ / "root";
  Spec spec_;
};

TEST_F(HostCheckTest, host_that_has_everything_gets_no_complaint) {
  spec_.appliance.hugepages_bytes = 200u << 20;
  add_port("net_af_packet0,iface=blue0");
  add_port("0000:3b:00.0");
  add_port("3b:00.0,rx_burst=64");
  add_port("net_null0");
  EXPECT_TRUE(check().empty());
}

TEST_F(HostCheckTest, core_that_is_not_there_is_named) {
  spec_.appliance.worker_cores = {1, 4};
  EXPECT_EQ(only_complaint(), (HostComplaint{true, "appliance.worker_cores",
                                             "core 4 is not online here; there are: 0, 1, 2, 3"}));
}

TEST_F(HostCheckTest, missing_hugepages_come_with_the_command_that_adds_them) {
  spec_.appliance.hugepages_bytes = 256u << 20;
  const HostComplaint said = only_complaint();
  EXPECT_EQ(said.key, "appliance.hugepages");
  EXPECT_EQ(said.what.substr(0, said.what.rfind(' ') + 1),
            "256 MiB asked, 200 MiB free; ask for them: echo 156 | sudo tee ");
}

TEST_F(HostCheckTest, interface_that_is_not_there_is_named_with_those_that_are) {
  add_port("net_af_xdp0,iface=green0,start_queue=0");
  EXPECT_EQ(only_complaint(), (HostComplaint{true, "ports.red.device",
                                             "no interface green0 here; there are: blue0, dim0"}));
}

TEST_F(HostCheckTest, interface_that_is_down_is_a_warning) {
  add_port("net_af_packet3,blocksz=4096,iface=dim0");
  EXPECT_EQ(only_complaint(),
            (HostComplaint{false, "ports.red.device",
                           "interface dim0 is down; raise it: sudo ip link set dim0 up"}));
}

TEST_F(HostCheckTest, interface_that_a_tap_will_make_need_not_exist) {
  add_port("net_tap0,iface=new0");
  EXPECT_TRUE(check().empty());
}

TEST_F(HostCheckTest, pci_device_of_the_kernel_comes_with_the_command_that_frees_it) {
  add_port("0000:3b:00.1");
  EXPECT_EQ(only_complaint().what,
            "0000:3b:00.1 is bound to ixgbe; give it to DPDK: sudo dpdk-devbind.py "
            "--bind=vfio-pci 0000:3b:00.1");
}

TEST_F(HostCheckTest, pci_device_that_is_not_there_is_an_error) {
  add_port("0000:5e:00.0");
  EXPECT_EQ(only_complaint().what, "no PCI device 0000:5e:00.0 here; lspci -D lists them");
}

}  // namespace
}  // namespace castgate
