// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace castgate {

// The value of `key=` in a device string such as net_af_packet0,iface=red0; empty where absent.
std::string device_option(std::string_view device, std::string_view key);

// The interface of Linux that a device is made on (net_af_packet, net_af_xdp), empty for others:
// the kernel goes on answering ARP and IGMP there.
std::string kernel_interface(std::string_view device);

// 0000:3b:00.0, the domain may be absent.
bool is_pci_address(std::string_view device);

}  // namespace castgate
