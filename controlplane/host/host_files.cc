// SPDX-License-Identifier: Apache-2.0
#include "controlplane/host/host_files.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <regex>
#include <system_error>

namespace castgate {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t number_in(const fs::path& path) {
  const std::string line = first_line(path);
  std::uint64_t number = 0;
  std::from_chars(line.data(), line.data() + line.size(), number);
  return number;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

// DPDK takes 3b:00.0 for 0000:3b:00.0.
std::optional<std::string> pci_address_of(const std::string& device) {
  static const std::regex address_form(
      "((?:[0-9a-fA-F]{4}:)?)([0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]).*");
  std::smatch match;
  if (!std::regex_match(device, match, address_form)) return {};
  return match[1].length() == 0 ? "0000:" + match[2].str() : match[1].str() + match[2].str();
}

}  // namespace castgate
