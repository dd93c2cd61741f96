// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <initializer_list>

#include "dataplane/base/esp/esp_gcm.h"
#include "pipelines/key_entry.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

void has_no_effect(RuleContext& rules, const std::string& path,
                   std::initializer_list<std::string_view> keys, std::string_view why) {
  for (const std::string_view key : keys) {
    const std::string full = fmt::format("{}.{}", path, key);
    if (rules.given(full)) rules.error(full, fmt::format("has no effect: {}", why));
  }
}

void check_bits(RuleContext& rules, const OpenSpec& open, const std::string& path) {
  if (open.key_bits != 128 && open.key_bits != 256) {
    rules.error(path + ".key_bits", fmt::format("{}: 128 or 256", open.key_bits));
  }
  if (open.profile != OpenProfile::SrtpCm) {
    has_no_effect(rules, path, {"tag_bits"}, "tags of AES-GCM have 128 bits");
  } else if (open.tag_bits != 80 && open.tag_bits != 32) {
    rules.error(path + ".tag_bits", fmt::format("{}: 80 or 32", open.tag_bits));
  }
}

// SRTP carries RTP and nothing else.
void check_carried(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const std::string own = path_of(stream);
  if (rules.bad(own + ".sequence") || rules.bad(own + ".sequence.format")) return;
  const SequenceFormat format = stream.sequence.format;
  if (stream.sequence.has_lengths() || format == SequenceFormat::CmeMdp3) {
    rules.error(path, fmt::format("what SRTP carries is RTP, and sequence: {} is none",
                                  choice_text(kSequenceNames, format)));
  } else if (stream.restamp.rtp == RtpFace::Insert) {
    rules.error(path, "what SRTP carries has RTP headers: restamp.rtp: insert would add another");
  }
}

void check_srtp(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  check_carried(rules, stream, path);
  has_no_effect(rules, path, {"spi", "esn", "udp_encapsulation", "inner.to", "inner.source"},
                "that is for ESP, and this is SRTP");
}

void check_esp(RuleContext& rules, const OpenSpec& open, const std::string& path) {
  has_no_effect(rules, path, {"roc", "mki_bytes"}, "that is for SRTP, and this is ESP");
  if (!rules.given(path + ".spi") && !rules.bad(path + ".spi")) {
    rules.error(path, fmt::format("spi is missing: the sender's, {} or more", kFirstSpi));
  }
  if (open.profile != OpenProfile::EspTunnel) {
    return has_no_effect(rules, path, {"inner.to", "inner.source"},
                         "the addresses inside are those of the leg");
  }
  if (rules.bad(path + ".inner.to") || rules.bad(path + ".inner.source")) return;
  const OpenInner& inner = open.inner;
  if (!rules.given(path + ".inner.to")) {
    rules.error(path, "inner.to is missing: the destination and UDP port of the packets inside");
  } else if (inner.source && inner.source->is_v4() != inner.to.address.is_v4()) {
    rules.error(path + ".inner",
                fmt::format("source {} and to {} are not of one family", inner.source->to_string(),
                            inner.to.address.to_string()));
  }
}

}  // namespace

void check_open(RuleContext& rules, const StreamSpec& stream, const LegSpec& leg) {
  const std::string path = path_of(stream, leg) + ".open";
  if (!leg.open.is_on() || rules.bad(path + ".profile")) return;
  check_bits(rules, leg.open, path);
  if (leg.open.is_esp()) {
    check_esp(rules, leg.open, path);
  } else {
    check_srtp(rules, stream, path);
  }
}

}  // namespace castgate
