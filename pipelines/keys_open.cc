// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/protect/replay_window.h"
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr KeyInfo kTable[] = {
    {.path = "streams.*.legs.*.open",
     .fallback = none_text,
     .meaning = "opens a leg that arrives encrypted, before the merge; what does not open is "
                "dropped. Legs that say nothing arrive in the clear"},
    {.path = "streams.*.legs.*.open.profile",
     .kind = KeyKind::Choice,
     .choices = kProtectNames,
     .fallback = kRequired,
     .meaning = "as its sender has it: srtp_gcm, AEAD_AES_128_GCM or 256 (RFC 7714); srtp_cm, "
                "AES_CM_128_HMAC_SHA1_80 or _32 (RFC 3711). ESP with AES-GCM (RFC "
                "4303, 4106): esp_tunnel; esp_tunnel_preserve, with the leg's from and to inside "
                "as well (RFC 5374); esp_transport, without a second IP header"},
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
    {.path = "streams.*.legs.*.open.mki_bytes",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 4,
     .unit = "bytes",
     .fallback = [](D d) { return std::to_string(d.open.mki_bytes); },
     .meaning = "SRTP: of the MKI in each packet, which names the key_file's line that opens it; "
                "0: none, and key_file has one key"},
    {.path = "streams.*.legs.*.open.replay_window",
     .kind = KeyKind::Number,
     .least = ReplayWindow::kSmallest,
     .most = ReplayWindow::kLargest,
     .unit = "packets",
     .fallback = [](D d) { return std::to_string(d.open.replay_window); },
     .meaning =
         "how far behind the newest one a packet of this leg may come and still be known for "
         "new; of SRTP, of each SSRC"},
    {.path = "streams.*.legs.*.open.roc",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 0xffffffff,
     .fallback = [](D d) { return std::to_string(d.open.roc); },
     .meaning = "SRTP's roll-over counter, 65536 packets each, at which the first packet is "
                "expected; of a sender that is further it is found by trying"},
    {.path = "streams.*.legs.*.open.spi",
     .kind = KeyKind::Ssrc,
     .least = 256,
     .most = 0xffffffff,
     .fallback = none_text,
     .meaning = "ESP, which needs it: of its sender, with the key of epoch 1; with that of epoch 2 "
                "the next one, and so on. Legs of one destination are told apart by it unless "
                "they come in UDP"},
    {.path = "streams.*.legs.*.open.esn",
     .kind = KeyKind::Flag,
     .fallback = [](D d) { return flag_text(d.open.esn); },
     .meaning = "ESP: sequence numbers of 64 bits, as its sender has them; false: of 32"},
    {.path = "streams.*.legs.*.open.udp_encapsulation",
     .kind = KeyKind::Flag,
     .fallback = [](D d) { return flag_text(d.open.udp_encapsulation); },
     .meaning = "ESP: in UDP (RFC 3948), to the UDP port of the leg's to; false: IP protocol 50"},
    {.path = "streams.*.legs.*.open.inner",
     .fallback = none_text,
     .meaning = "esp_tunnel: what may be inside; anything else is dropped as other_selector"},
    {.path = "streams.*.legs.*.open.inner.to",
     .kind = KeyKind::Endpoint,
     .fallback = [](D) { return std::string("none; esp_tunnel needs it"); },
     .meaning = "destination and UDP port of the packet inside. Of the other profiles: the leg's"},
    {.path = "streams.*.legs.*.open.inner.source",
     .kind = KeyKind::Address,
     .fallback = [](D) { return std::string("any"); },
     .meaning = "source of the packet inside. Of esp_tunnel_preserve: the leg's from"},
    {.path = "streams.*.legs.*.open.key_file",
     .kind = KeyKind::Text,
     .least = 1,
     .most = 4096,
     .fallback = kRequired,
     .meaning = "master key and salt, or a line for each epoch, as protect.key_file has them. Legs "
                "may share one; no output may seal with it"},
};

}  // namespace

const std::span<const KeyInfo> kOpenKeys = kTable;

}  // namespace castgate
