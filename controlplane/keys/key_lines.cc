// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/key_lines.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "controlplane/store/durable_file.h"

namespace castgate {

Result<void> read_key_lines(const std::string& path,
                            const std::function<bool(const std::string&, std::uint64_t)>& each) {
  std::ifstream file(path);
  if (!file) {
    if (!std::filesystem::exists(path)) return {};
    return fail(fmt::format("{}: {}", path, errno_text()));
  }
  unsigned number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words(line);
    std::string key;
    std::uint64_t value = 0;
    std::string more;
    const bool whole = (words >> key >> std::hex >> value) && !(words >> more);
    if (!whole || !each(key, value))
      return fail(fmt::format("{}:{}: expected a key's name and a number", path, number));
  }
  return {};
}

Result<void> write_key_lines(const std::string& path, const std::string& lines) {
  std::error_code ignored;  // writing tells more
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  return write_durably(path, lines);
}

}  // namespace castgate
