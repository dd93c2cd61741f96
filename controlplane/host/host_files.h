// SPDX-License-Identifier: Apache-2.0
// What the kernel tells in files of one line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace castgate {

// Without the end of the line; empty where there is no such file.
std::string first_line(const std::filesystem::path& path);
// 0 where there is none.
std::uint64_t number_in(const std::filesystem::path& path);
// Names of a directory's entries, sorted.
std::vector<std::string> names_in(const std::filesystem::path& directory);
// 0000:3b:00.0 of a device string that begins with a PCI address, with or without its domain.
std::optional<std::string> pci_address_of(const std::string& device);

}  // namespace castgate
