// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/doors/tokens.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sstream>
#include <sys/stat.h>

namespace castgate {
namespace {

constexpr std::size_t kLargest = 65'536;
constexpr std::size_t kShortestToken = 16;

}  // namespace

Result<Tokens> Tokens::read(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return fail(fmt::format("{}: {}", path, errno_text()));
  if (!S_ISREG(found.st_mode)) return fail(fmt::format("{}: is no file", path));
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(fmt::format("{}: others may read these tokens; chmod 600 {}", path, path));
  }
  if (static_cast<std::size_t>(found.st_size) > kLargest) {
    return fail(fmt::format("{}: longer than {} bytes", path, kLargest));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return fail(fmt::format("{}: cannot be read", path));
  auto tokens = parse(text, path);
  OPENSSL_cleanse(text.data(), text.size());
  return tokens;
}

Result<Tokens> Tokens::parse(std::string_view text, const std::string& name) {
  Tokens tokens;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (unsigned number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string holder;
    std::string token;
    std::string right;
    std::string more;
    words >> holder >> token >> right >> more;
    if (holder.empty() || holder.starts_with('#')) continue;
    const auto wrong = [&](std::string_view why) {
      return fail(fmt::format("{}:{}: {}", name, number, why));
    };
    if (token.empty()) return wrong("expected NAME TOKEN, or NAME TOKEN admin");
    if (token.size() < kShortestToken) {
      return wrong("a token has 16 characters at least: openssl rand -hex 16");
    }
    if (!more.empty() || (!right.empty() && right != "admin")) {
      return wrong("after the token may stand admin, and nothing else");
    }
    tokens.rows_.push_back({digest_of(token), {holder, right == "admin"}});
  }
  if (tokens.rows_.empty()) return fail(fmt::format("{}: holds no token", name));
  return tokens;
}

Tokens::Digest Tokens::digest_of(std::string_view token) {
  Digest digest{};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes are unsigned.
  SHA256(reinterpret_cast<const std::uint8_t*>(token.data()), token.size(), digest.data());
  return digest;
}

const Tokens::Holder* Tokens::find(std::string_view token) const {
  const Digest digest = digest_of(token);
  const Holder* found = nullptr;
  for (const Row& row : rows_) {
    if (CRYPTO_memcmp(row.digest.data(), digest.data(), digest.size()) == 0) found = &row.holder;
  }
  return found;
}

}  // namespace castgate
