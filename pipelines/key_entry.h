// SPDX-License-Identifier: Apache-2.0
// Short forms for the rows of the key table, and the words of its enums.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/keys.h"
#include "pipelines/units.h"

namespace castgate {

// In the order of their enums: a choice's place is its value.
inline constexpr std::array<std::string_view, 2> kPollingNames{"busy", "adaptive"};
inline constexpr std::array<std::string_view, 3> kIgmpNames{"auto", "2", "3"};
inline constexpr std::array<std::string_view, 7> kSequenceNames{
    "rtp", "rtp_extended", "moldudp64", "cme_mdp3", "iex_tp", "generic", "fingerprint"};
inline constexpr std::array<std::string_view, 2> kOverlapNames{"trim", "pass"};
inline constexpr std::array<std::string_view, 2> kEndianNames{"big", "little"};
inline constexpr std::array<std::string_view, 2> kSelectionNames{"merge", "prefer"};
inline constexpr std::array<std::string_view, 2> kCorruptNames{"drop", "use_if_only"};
inline constexpr std::array<std::string_view, 2> kContinuityNames{"preserve", "splice"};
inline constexpr std::array<std::string_view, 3> kRtpFaceNames{"keep", "insert", "strip"};
inline constexpr std::array<std::string_view, 2> kUpstreamJoinNames{"always", "on_demand"};
inline constexpr std::array<std::string_view, 2> kTooBigNames{"drop", "fragment"};
inline constexpr std::array<std::string_view, 2> kIsolationNames{"group", "per_client"};
// Of protect and of open.
inline constexpr std::array<std::string_view, 5> kProtectNames{
    "srtp_gcm", "srtp_cm", "esp_tunnel", "esp_tunnel_preserve", "esp_transport"};
inline constexpr std::array<std::string_view, 2> kBackendNames{"ipsec_mb", "cryptodev"};
inline constexpr std::array<std::string_view, 3> kReleaseNames{"arrival", "ordered", "playout"};

template <std::size_t N, class E>
std::string choice_text(const std::array<std::string_view, N>& names, E value) {
  return std::string(names[static_cast<std::size_t>(value)]);
}

inline std::string flag_text(bool value) {
  return value ? "true" : "false";
}

inline std::string none_text(const Defaults& /*none*/) {
  return "none";
}

// Names and groups of keys that must be there: no default.
inline constexpr std::string (*kRequired)(const Defaults&) = nullptr;

inline constexpr std::uint64_t kMillisecond = 1'000'000;  // in nanoseconds
inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kMostBitRate = 1'000'000'000'000;  // 1000Gbps
inline constexpr std::uint64_t kMebibyte = 1ull << 20;

}  // namespace castgate
