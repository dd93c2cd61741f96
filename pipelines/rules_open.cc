// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "pipelines/key_entry.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

void check_bits(RuleContext& rules, const OpenSpec& open, const std::string& path) {
  if (open.key_bits != 128 && open.key_bits != 256) {
    rules.error(path + ".key_bits", fmt::format("{}: 128 or 256", open.key_bits));
  }
  if (open.profile == OpenProfile::SrtpGcm) {
    if (rules.given(path + ".tag_bits")) {
      rules.error(path + ".tag_bits", "has no effect: tags of srtp_gcm have 128 bits");
    }
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

}  // namespace

void check_open(RuleContext& rules, const StreamSpec& stream, const LegSpec& leg) {
  const std::string path = path_of(stream, leg) + ".open";
  if (!leg.open.is_on() || rules.bad(path + ".profile")) return;
  check_bits(rules, leg.open, path);
  check_carried(rules, stream, path);
}

}  // namespace castgate
