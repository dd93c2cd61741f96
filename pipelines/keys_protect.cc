// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr std::int64_t kYear = std::int64_t{365} * 86'400'000'000'000;

constexpr KeyInfo kTable[] = {
    {.path = "streams.*.outputs.*.protect",
     .fallback = none_text,
     .meaning = "encrypts what leaves here, once for all that receive it, or for each client apart "
                "(isolation); outputs that say nothing send in the clear"},
    {.path = "streams.*.outputs.*.protect.profile",
     .kind = KeyKind::Choice,
     .choices = kProtectNames,
     .fallback = kRequired,
     .meaning = "srtp_gcm: AEAD_AES_128_GCM or 256 (RFC 7714); srtp_cm: AES_CM_128_HMAC_SHA1_80 or "
                "_32 (RFC 3711), which ffmpeg and VLC know as well. Packets are RTP then, with "
                "numbers of our own: failover.continuity: splice, or restamp.rtp: insert. ESP with "
                "AES-GCM (RFC 4303, 4106) carries any packets: esp_tunnel between gateways, "
                "esp_tunnel_preserve with the group's addresses outside as well (RFC 5374), "
                "esp_transport without a second IP header; these two for groups alone"},
    {.path = "streams.*.outputs.*.protect.isolation",
     .kind = KeyKind::Choice,
     .choices = kIsolationNames,
     .fallback = [](D) { return std::string("group"); },
     .meaning = "group: one key for all that receive it. per_client, of unicast outputs: each "
                "client has a key, an SSRC and numbers from 0 on of its own, from when it joins, "
                "made of the key file and told by doors.rest over TLS or on loopback. The RTP "
                "numbers of the stream do not matter then: no continuity: splice is needed"},
    {.path = "streams.*.outputs.*.protect.backend",
     .kind = KeyKind::Choice,
     .choices = kBackendNames,
     .fallback = [](D d) { return choice_text(kBackendNames, d.protect.backend); },
     .meaning = "who encrypts: ipsec_mb, the worker itself; cryptodev, appliance.crypto_device "
                "(profiles with AES-GCM). The bytes are the same"},
    {.path = "streams.*.outputs.*.protect.key_bits",
     .kind = KeyKind::Number,
     .least = 128,
     .most = 256,
     .unit = "bits",
     .fallback = [](D d) { return std::to_string(d.protect.key_bits); },
     .meaning = "of AES: 128 or 256"},
    {.path = "streams.*.outputs.*.protect.tag_bits",
     .kind = KeyKind::Number,
     .least = 32,
     .most = 80,
     .unit = "bits",
     .fallback = [](D d) { return std::to_string(d.protect.tag_bits); },
     .meaning = "srtp_cm: of the authentication tag, 80 or 32"},
    {.path = "streams.*.outputs.*.protect.mki_bytes",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 4,
     .unit = "bytes",
     .fallback = [](D d) { return std::to_string(d.protect.mki_bytes); },
     .meaning =
         "SRTP: of the MKI in each packet, which is the number of the epoch whose key sealed "
         "it; 0: none, and key_file has one key"},
    {.path = "streams.*.outputs.*.protect.max_packets",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 0xffffffff,
     .unit = "packets",
     .word = "2^48",
     .fallback = [](D) { return std::string("2^48"); },
     .meaning = "sealed with one key since the start (the hard lifetime), of the 2^48 that SRTP "
                "allows; further ones are dropped as key_spent"},
    {.path = "streams.*.outputs.*.protect.rekey_packets",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 0xffffffff,
     .unit = "packets",
     .fallback = [](D) { return std::string("80 % of max_packets"); },
     .meaning = "sealed with one key before the next one of key_file takes over (the soft "
                "lifetime)"},
    {.path = "streams.*.outputs.*.protect.max_time",
     .kind = KeyKind::Duration,
     .least = 1'000'000,
     .most = kYear,
     .fallback = [](D) { return std::string("no limit"); },
     .meaning = "for which one key seals (the hard lifetime); what comes later is dropped as "
                "key_spent"},
    {.path = "streams.*.outputs.*.protect.rekey_time",
     .kind = KeyKind::Duration,
     .least = 1'000'000,
     .most = kYear,
     .fallback = [](D) { return std::string("80 % of max_time"); },
     .meaning = "for which one key seals before the next one of key_file takes over (the soft "
                "lifetime)"},
    {.path = "streams.*.outputs.*.protect.spi",
     .kind = KeyKind::Ssrc,
     .least = 256,
     .most = 0xffffffff,
     .fallback = none_text,
     .meaning = "ESP, which needs one: what its receivers know the key of epoch 1 by, and no "
                "other key's; that of epoch 2 is the next one, and so on"},
    {.path = "streams.*.outputs.*.protect.esn",
     .kind = KeyKind::Flag,
     .fallback = [](D d) { return flag_text(d.protect.esn); },
     .meaning = "ESP: sequence numbers of 64 bits, whose upper half is not sent; false: of 32, and "
                "a key seals 2^32 packets in all its life"},
    {.path = "streams.*.outputs.*.protect.udp_encapsulation",
     .kind = KeyKind::Flag,
     .fallback = [](D) { return std::string("false; true to clients"); },
     .meaning = "ESP: in UDP (RFC 3948), which passes a NAT, to the output's own UDP port; false: "
                "IP protocol 50"},
    {.path = "streams.*.outputs.*.protect.inner",
     .fallback = [](D) { return std::string("as leg A came"); },
     .meaning = "esp_tunnel: the packet inside"},
    {.path = "streams.*.outputs.*.protect.inner.to",
     .kind = KeyKind::Endpoint,
     .fallback = [](D) { return std::string("to of the first leg"); },
     .meaning = "where it goes on to behind the receiving gateway"},
    {.path = "streams.*.outputs.*.protect.inner.source",
     .kind = KeyKind::Address,
     .fallback = [](D) { return std::string("from of the first leg"); },
     .meaning = "its source"},
    {.path = "streams.*.outputs.*.protect.inner.source_port",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 65535,
     .fallback = [](D) { return std::string("the port of inner.to"); },
     .meaning = "its UDP source port"},
    {.path = "streams.*.outputs.*.protect.key_file",
     .kind = KeyKind::Text,
     .least = 1,
     .most = 4096,
     .fallback = kRequired,
     .meaning = "master key and salt in one line, hexadecimal or as in SDES's inline: (base64); a "
                "line for each epoch, in their order, or 7: before that of epoch 7. Lines may be "
                "added while it runs (a reload), and those that are over be taken away. Nobody but "
                "its owner may read it (mode 0600). A name that is no absolute path is looked for "
                "beside this file"},
};

}  // namespace

const std::span<const KeyInfo> kProtectKeys = kTable;

}  // namespace castgate
