// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

std::string cores_text(const std::vector<unsigned>& cores) {
  std::string text;
  for (const unsigned core : cores) text += (text.empty() ? "" : ", ") + std::to_string(core);
  return "[" + text + "]";
}

constexpr KeyInfo kTable[] = {
    {.path = "schema",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 1,
     .fallback = kRequired,
     .meaning = "version of this file's language"},
    {.path = "appliance", .fallback = none_text, .meaning = "the machine and the process"},
    {.path = "appliance.name",
     .kind = KeyKind::Name,
     .least = 1,
     .most = 64,
     .fallback = [](D d) { return d.appliance.name; },
     .meaning = "shown by `show` and metrics"},
    {.path = "appliance.worker_cores",
     .kind = KeyKind::Number,
     .list = true,
     .least = 0,
     .most = 1023,
     .unit = "core",
     .fallback = [](D d) { return cores_text(d.appliance.worker_cores); },
     .meaning = "one worker on each; they forward packets and do nothing else"},
    {.path = "appliance.control_core",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 1023,
     .unit = "core",
     .fallback = [](D d) { return std::to_string(d.appliance.control_core); },
     .meaning = "where the control plane runs; on a worker's core it disturbs packets"},
    {.path = "appliance.hugepages",
     .kind = KeyKind::Size,
     .least = 16 * kMebibyte,
     .most = 1024ull * 1024 * kMebibyte,
     .word = "none",
     .fallback =
         [](D d) {
           const auto bytes = d.appliance.hugepages_bytes;
           return bytes == 0 ? std::string("none") : quantity_text(bytes, kSizes);
         },
     .meaning = "memory taken in hugepages; none runs on ordinary pages, slower"},
    {.path = "appliance.polling",
     .kind = KeyKind::Choice,
     .choices = kPollingNames,
     .fallback = [](D d) { return choice_text(kPollingNames, d.appliance.polling); },
     .meaning = "busy: a worker never sleeps; adaptive: it sleeps while no packet comes"},
    {.path = "appliance.state_dir",
     .kind = KeyKind::Path,
     .least = 1,
     .most = 255,
     .fallback = [](D d) { return d.appliance.state_dir; },
     .meaning = "what must outlive the process"},
    {.path = "appliance.control_socket",
     .kind = KeyKind::Path,
     .least = 1,
     .most = 107,
     .fallback = [](D d) { return d.appliance.control_socket; },
     .meaning = "where `show` and `top` ask, mode 0660"},
    {.path = "appliance.crypto_device",
     .kind = KeyKind::Text,
     .least = 1,
     .most = 255,
     .fallback = none_text,
     .meaning = "DPDK's device for outputs with protect.backend: cryptodev: a PCI address, or one "
                "made by software such as crypto_openssl0 or crypto_aesni_gcm0"},
    {.path = "appliance.event_log",
     .kind = KeyKind::Path,
     .least = 1,
     .most = 255,
     .word = "none",
     .fallback = none_text,
     .meaning = "gaps, legs' changes, clients found gone and alarms as lines of JSON; SIGHUP opens "
                "it anew"},
    {.path = "appliance.max_streams",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 10'000,
     .unit = "streams",
     .fallback = [](D d) { return std::to_string(d.appliance.max_streams); },
     .meaning = "most streams a file may hold"},
    {.path = "appliance.max_clients",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 1'000'000,
     .unit = "clients",
     .fallback = [](D d) { return std::to_string(d.appliance.max_clients); },
     .meaning = "most unicast clients at once"},
    {.path = "appliance.max_frame",
     .kind = KeyKind::Number,
     .least = 64,
     .most = 9728,
     .unit = "bytes",
     .fallback = [](D d) { return std::to_string(d.appliance.max_frame); },
     .meaning = "longest frame received, from the destination MAC on, no FCS"},
};

}  // namespace

const std::span<const KeyInfo> kApplianceKeys = kTable;

}  // namespace castgate
