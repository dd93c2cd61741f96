// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/key_file.h"

#include <algorithm>
#include <cctype>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/keys/key_scratch.h"

namespace castgate {
namespace {

constexpr std::size_t kLargest = 65'536;

// A key that stands where its file belongs is not to be told in an error.
bool looks_like_a_key(std::string_view path) noexcept {
  constexpr std::size_t kShortest = 38;  // base64 of 28 bytes; hexadecimal ones are longer
  const auto is_digit = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=';
  };
  return path.contains("inline:") ||
         (path.size() >= kShortest && std::ranges::all_of(path, is_digit) &&
          std::ranges::any_of(path, [](unsigned char c) { return std::isdigit(c) != 0; }));
}

}  // namespace

Result<std::vector<EpochKey>> read_key_file(const std::string& path, std::size_t length) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0 && looks_like_a_key(std::filesystem::path(path).filename().string()))
    return fail("looks like a key: write it into a file of mode 0600, and the file's name here");
  if (file < 0) return fail(fmt::format("{}: {}", path, errno_text()));
  struct stat found{};
  KeyScratch text(kLargest + 1);
  const bool known = ::fstat(file, &found) == 0;
  const ssize_t got = known ? ::read(file, text.data(), text.size()) : -1;
  const std::string why = errno_text();
  ::close(file);
  if (known && !S_ISREG(found.st_mode)) return fail(fmt::format("{}: is no file", path));
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
