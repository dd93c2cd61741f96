// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace castgate {

// The value of `key=` in a device string such as net_af_packet0,iface=red0; empty where absent.
std::string device_option(std::string_view device, std::string_view key);

// The interface of Linux that a device is made on (net_af_packet, net_af_xdp); empty for others.
std::string kernel_interface(std::string_view device);

// Linux still sees what arrives there, and answers ARP and IGMP itself. Not so with net_af_xdp: its
// program takes every frame away before the kernel's stack.
bool kernel_is_host(std::string_view device);

// 0000:3b:00.0, the domain may be absent.
bool is_pci_address(std::string_view device);

}  // namespace castgate
