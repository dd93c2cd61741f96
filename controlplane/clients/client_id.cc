// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_id.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/random.h>

namespace castgate {
namespace {

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return {};
}

}  // namespace

ClientId ClientId::random() {
  ClientId id;
  // After the kernel's pool is ready, which is long before we start, this cannot fail.
  if (::getrandom(id.bytes.data(), id.bytes.size(), 0) != static_cast<ssize_t>(id.bytes.size()))
    std::abort();
  return id;
}

std::optional<ClientId> ClientId::parse(std::string_view text) {
  ClientId id;
  if (text.size() != 2 * id.bytes.size()) return {};
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const auto high = hex_digit(text[2 * i]);
    const auto low = hex_digit(text[2 * i + 1]);
    if (!high || !low) return {};
    id.bytes[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return id;
}

std::string ClientId::to_string() const {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace castgate
