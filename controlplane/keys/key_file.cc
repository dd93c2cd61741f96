// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/keys/key_scratch.h"

namespace castgate {
namespace {

constexpr std::size_t kLargest = 65'536;

}  // namespace

Result<std::vector<EpochKey>> read_key_file(const std::string& path, std::size_t length) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(fmt::format("{}: {}", path, errno_text()));
  struct stat found{};
  KeyScratch text(kLargest + 1);
  const bool known = ::fstat(file, &found) == 0;
  const ssize_t got = known ? ::read(file, text.data(), text.size()) : -1;
  const std::string why = errno_text();
  ::close(file);
  if (got < 0) return fail(fmt::format("{}: {}", path, why));
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(fmt::format("{}: others may read this key; chmod 600 {}", path, path));
  if (static_cast<std::size_t>(got) > kLargest)
    return fail(fmt::format("{}: longer than {} bytes", path, kLargest));
  auto keys = parse_keys({text.data(), static_cast<std::size_t>(got)}, length);
  if (!keys) return fail(fmt::format("{}: {}", path, keys.error().text));
  return keys;
}

}  // namespace castgate
