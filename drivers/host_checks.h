// SPDX-License-Identifier: Apache-2.0
// What DPDK would fail on, or panic about, asked of the host beforehand so that the answer is ours.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/base/error.h"

namespace castgate {

// The calling thread may run on this core; what it may run on afterwards is as before.
Result<void> check_core(unsigned core);

// `sysfs` is where hugepages are counted: /sys/kernel/mm/hugepages but in tests.
Result<void> check_hugepages(std::uint64_t bytes,
                             const std::string& sysfs = "/sys/kernel/mm/hugepages");

// A PCI device exists and is bound to a driver that hands it to user space. `sysfs` as above.
Result<void> check_pci_device(const std::string& address,
                              const std::string& sysfs = "/sys/bus/pci/devices");

// A network interface of this process's namespace, and the right to open raw sockets on it.
Result<void> check_interface(const std::string& interface);

}  // namespace castgate
