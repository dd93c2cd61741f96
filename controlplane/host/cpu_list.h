// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string_view>

namespace castgate {

// Reads the kernel's list of cores, as in 0-3,8 (/sys/devices/system/cpu/online). What is not a
// number or a range is passed over.
std::set<unsigned> read_cpu_list(std::string_view text);

}  // namespace castgate
