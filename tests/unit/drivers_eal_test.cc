// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_lcore.h>

#include "drivers/device_lock.h"
#include "drivers/eal.h"
#include "drivers/host_checks.h"
#include "drivers/stderr_capture.h"

namespace castgate {
namespace {

namespace fs = std::filesystem;

// A directory that looks like a part of sysfs.
class FakeSysfs {
 public:
  FakeSysfs() : path_(fs::temp_directory_path() / "sysfs-XXXXXX") {
    std::string name = path_;
    path_ = mkdtemp(name.data());
  }
  FakeSysfs(const FakeSysfs&) = delete;
  FakeSysfs& operator=(const FakeSysfs&) = delete;
  ~FakeSysfs() { fs::remove_all(path_); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  void link(const std::string& from, const std::string& target) const {
    fs::create_directories((path_ / from).parent_path());
    fs::create_symlink(target, path_ / from);
  }
  std::string path() const { return path_; }

 private:
  fs::path path_;
};

TEST(HostChecksTest, too_few_hugepages_says_how_many_are_needed_and_how_to_set_them) {
  const FakeSysfs sysfs;
  sysfs.write("hugepages-2048kB/nr_hugepages", "100\n");
  sysfs.write("hugepages-2048kB/free_hugepages", "60\n");
  const auto result = check_hugepages(512ull << 20, sysfs.path());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text,
            "hugepages: 512 MiB are needed (appliance.hugepages), 120 MiB are free; 196 more pages "
            "of 2048 kB: sysctl -w vm.nr_hugepages=296, or write appliance.hugepages: none");
}

TEST(HostChecksTest, hugepages_of_several_sizes_add_up) {
  const FakeSysfs sysfs;
  sysfs.write("hugepages-2048kB/free_hugepages", "128");
  sysfs.write("hugepages-1048576kB/free_hugepages", "1");
  EXPECT_TRUE(check_hugepages(1280ull << 20, sysfs.path()));
  EXPECT_FALSE(check_hugepages(1281ull << 20, sysfs.path()));
}

TEST(HostChecksTest, pci_device_with_a_kernel_driver_names_the_command_that_hands_it_over) {
  const FakeSysfs sysfs;
  sysfs.link("0000:3b:00.0/driver", "../../../bus/pci/drivers/ixgbe");
  const auto result = check_pci_device("0000:3b:00.0", sysfs.path());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text,
            "0000:3b:00.0: the kernel's ixgbe has it; hand it over: modprobe vfio-pci && "
            "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0");
}

TEST(HostChecksTest, pci_device_on_vfio_is_taken_with_or_without_its_domain) {
  const FakeSysfs sysfs;
  sysfs.link("0000:3b:00.0/driver", "../../../bus/pci/drivers/vfio-pci");
  EXPECT_TRUE(check_pci_device("0000:3b:00.0", sysfs.path()));
  EXPECT_TRUE(check_pci_device("3b:00.0", sysfs.path()));
  EXPECT_FALSE(check_pci_device("0000:3b:00.1", sysfs.path()));
}

TEST(HostChecksTest, core_that_does_not_exist_is_refused_and_affinity_stays) {
  cpu_set_t before;
  cpu_set_t after;
  sched_getaffinity(0, sizeof before, &before);
  unsigned mine = 0;
  while (!CPU_ISSET(mine, &before)) ++mine;
  EXPECT_TRUE(check_core(mine));
  EXPECT_FALSE(check_core(1000));
  EXPECT_FALSE(check_core(100'000));
  sched_getaffinity(0, sizeof after, &after);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(HostChecksTest, missing_interface_is_named) {
  const auto result = check_interface("nosuchport0");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text.find("no interface nosuchport0"), std::string::npos);
}

TEST(DeviceLockTest, second_holder_is_told_which_process_has_the_device) {
  const std::string device = "test-" + std::to_string(getpid());
  {
    auto first = DeviceLock::take(device);
    ASSERT_TRUE(first);
    const auto second = DeviceLock::take(device);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text.find("process " + std::to_string(getpid())), std::string::npos)
        << second.error().text;
  }
  EXPECT_TRUE(DeviceLock::take(device));
}

// Order matters from here on: EAL lives once per process.
TEST(EalTest, live_start_without_the_core_is_refused_before_dpdk_sees_it) {
  const auto result = start_eal({.mode = EalOptions::Mode::Live, .worker_cores = {777}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text.find("core 777"), std::string::npos);
}

TEST(EalTest, quiet_start_says_nothing_and_leaves_affinity_and_environment_alone) {
  cpu_set_t before;
  cpu_set_t after;
  sched_getaffinity(0, sizeof before, &before);
  setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
  testing::internal::CaptureStderr();
  const auto result = start_eal({});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_TRUE(result) << result.error().text;
  sched_getaffinity(0, sizeof after, &after);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
  EXPECT_STREQ(std::getenv("XDG_RUNTIME_DIR"), "/nonexistent");
  EXPECT_EQ(rte_lcore_count(), 1u);
}

TEST(EalTest, second_start_in_one_process_is_refused) {
  const auto result = start_eal({});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text.find("twice"), std::string::npos);
}

TEST(EalTest, stop_removes_the_runtime_directory) {
  const fs::path directory = rte_eal_get_runtime_dir();
  EXPECT_TRUE(fs::exists(directory));
  stop_eal();
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_FALSE(start_eal({}));
}

TEST(StderrCaptureTest, keeps_the_last_line_and_then_lets_go) {
  testing::internal::CaptureStderr();
  {
    const StderrCapture captured;
    std::fputs("first\nsecond\n", stderr);
    EXPECT_EQ(captured.last_line(), "second");
  }
  std::fputs("third\n", stderr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "third\n");
}

}  // namespace
}  // namespace castgate
