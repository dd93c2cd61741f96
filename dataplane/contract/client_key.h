// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/protect/key_bytes.h"

namespace castgate {

// What the packets to one client are sealed with, and nobody else's (isolation: per_client), from
// the moment at which it joins. Holds key material: for Secret<> alone.
struct ClientKey {
  ClientKey(std::span<const std::byte> key_bytes, std::uint32_t own_ssrc,
            std::uint32_t own_spi) noexcept
      : key(key_bytes), ssrc(own_ssrc), spi(own_spi) {}

  KeyBytes key;  // key_file_bytes() of the output's ProtectSpec
  std::uint32_t ssrc;
  std::uint32_t spi;  // ESP
};

using SharedClientKey = std::shared_ptr<const ClientKey>;

}  // namespace castgate
