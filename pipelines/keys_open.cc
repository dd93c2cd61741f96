// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/protect/replay_window.h"
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr std::array<std::string_view, 2> kLaterProfiles{"esp_tunnel", "esp_transport"};

constexpr KeyInfo kTable[] = {
    {.path = "streams.*.legs.*.open",
     .fallback = none_text,
     .meaning = "opens a leg that arrives encrypted, before the merge; what does not open is "
                "dropped. Legs that say nothing arrive in the clear"},
    {.path = "streams.*.legs.*.open.profile",
     .kind = KeyKind::Choice,
     .choices = kOpenNames,
     .later = kLaterProfiles,
     .fallback = kRequired,
     .meaning = "as its sender has it: srtp_gcm, AEAD_AES_128_GCM or 256 (RFC 7714); srtp_cm, "
                "AES_CM_128_HMAC_SHA1_80 or _32 (RFC 3711). Without MKI"},
    {.path = "streams.*.legs.*.open.key_bits",
     .kind = KeyKind::Number,
     .least = 128,
     .most = 256,
     .unit = "bits",
     .fallback = [](D d) { return std::to_string(d.open.key_bits); },
     .meaning = "of AES: 128 or 256"},
    {.path = "streams.*.legs.*.open.tag_bits",
     .kind = KeyKind::Number,
     .least = 32,
     .most = 80,
     .unit = "bits",
     .fallback = [](D d) { return std::to_string(d.open.tag_bits); },
     .meaning = "srtp_cm: of the authentication tag, 80 or 32"},
    {.path = "streams.*.legs.*.open.replay_window",
     .kind = KeyKind::Number,
     .least = ReplayWindow::kSmallest,
     .most = ReplayWindow::kLargest,
     .unit = "packets",
     .fallback = [](D d) { return std::to_string(d.open.replay_window); },
     .meaning =
         "how far behind the newest one a packet of this leg may come and still be known for "
         "new, of each SSRC"},
    {.path = "streams.*.legs.*.open.roc",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 0xffffffff,
     .fallback = [](D d) { return std::to_string(d.open.roc); },
     .meaning = "SRTP's roll-over counter, 65536 packets each, at which the first packet is "
                "expected; of a sender that is further it is found by trying"},
    {.path = "streams.*.legs.*.open.key_file",
     .kind = KeyKind::Text,
     .least = 1,
     .most = 4096,
     .fallback = kRequired,
     .meaning = "master key and salt, as protect.key_file has them. Legs may share one; no output "
                "may seal with it"},
};

}  // namespace

const std::span<const KeyInfo> kOpenKeys = kTable;

}  // namespace castgate
