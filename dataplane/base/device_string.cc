// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/device_string.h"

#include <algorithm>
#include <cctype>

namespace castgate {

std::string device_option(std::string_view device, std::string_view key) {
  while (true) {
    const auto comma = device.find(',');
    if (comma == std::string_view::npos) return {};
    device.remove_prefix(comma + 1);
    if (!device.starts_with(key) || device.substr(key.size(), 1) != "=") continue;
    device.remove_prefix(key.size() + 1);
    return std::string(device.substr(0, device.find(',')));
  }
}

std::string kernel_interface(std::string_view device) {
  const bool of_kernel = device.starts_with("net_af_packet") || device.starts_with("net_af_xdp");
  return of_kernel ? device_option(device, "iface") : std::string();
}

bool kernel_is_host(std::string_view device) {
  return device.starts_with("net_af_packet") && !kernel_interface(device).empty();
}

bool is_pci_address(std::string_view device) {
  constexpr std::string_view kFull = "hhhh:hh:hh.h";
  constexpr std::string_view kShort = "hh:hh.h";
  const auto matches = [&](std::string_view shape) {
    return std::ranges::equal(device, shape, [](char c, char s) {
      return s == 'h' ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : c == s;
    });
  };
  return matches(kFull) || matches(kShort);
}

}  // namespace castgate
