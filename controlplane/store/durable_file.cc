// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/durable_file.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace castgate {
namespace {

Result<void> write_whole(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail(fmt::format("{}: {}", path, errno_text()));
  bool good = true;
  while (good && !text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    good = count > 0 || (count < 0 && errno == EINTR);
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  good = good && ::fsync(file) == 0;
  const std::string why = errno_text();
  ::close(file);
  return good ? Result<void>() : fail(fmt::format("{}: {}", path, why));
}

}  // namespace

Result<void> write_durably(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  if (auto written = write_whole(fresh, text); !written) return written;
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return fail(fmt::format("{}: {}", path, errno_text()));
  const auto directory = std::filesystem::path(path).parent_path();
  const int place = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = place >= 0 && ::fsync(place) == 0;
  const std::string why = errno_text();
  if (place >= 0) ::close(place);
  return good ? Result<void>() : fail(fmt::format("{}: {}", directory.string(), why));
}

}  // namespace castgate
