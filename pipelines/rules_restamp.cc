// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "pipelines/key_entry.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

bool is_rtp(const StreamSpec& stream) noexcept {
  return stream.sequence.format == SequenceFormat::Rtp ||
         stream.sequence.format == SequenceFormat::RtpExtended;
}

void check_splice(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream) + ".failover.continuity";
  if (stream.failover.continuity != Continuity::Splice || rules.bad(path)) return;
  if (stream.restamp.rtp == RtpFace::Insert) {
    rules.error(path, "has no effect: with restamp.rtp: insert the numbering is our own anyway");
  } else if (!is_rtp(stream)) {
    rules.error(path, fmt::format("splice rewrites RTP headers, and packets of sequence: {} have "
                                  "none: continuity: preserve",
                                  choice_text(kSequenceNames, stream.sequence.format)));
  } else if (stream.restamp.rtp == RtpFace::Strip) {
    rules.error(path, "has no effect: restamp.rtp: strip takes the numbers off");
  }
}

void check_face(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const std::string key = path + ".rtp";
  const std::string format = choice_text(kSequenceNames, stream.sequence.format);
  if (stream.restamp.rtp == RtpFace::Insert && is_rtp(stream)) {
    rules.error(key, fmt::format("packets of sequence: {} have RTP headers already: keep, or "
                                 "failover.continuity: splice",
                                 format));
  } else if (stream.restamp.rtp == RtpFace::Strip &&
             stream.sequence.format != SequenceFormat::Rtp) {
    rules.error(key,
                fmt::format("strip needs sequence: rtp; of {} no stream would be left", format));
  }
}

// Keys that only some of the changes ask for.
void check_effect(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const bool inserts = stream.restamp.rtp == RtpFace::Insert;
  const bool splices = stream.failover.continuity == Continuity::Splice;
  if (rules.given(path + ".payload_type") && !inserts) {
    rules.error(path + ".payload_type", "has no effect without rtp: insert");
  }
  for (const char* key : {".clock_rate", ".ssrc"}) {
    if (rules.given(path + key) && !inserts && !splices) {
      rules.error(path + key, "has no effect without rtp: insert or failover.continuity: splice");
    }
  }
}

}  // namespace

void check_restamp(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream) + ".restamp";
  const std::string sequence = path_of(stream) + ".sequence";
  if (rules.bad(sequence) || rules.bad(sequence + ".format") || rules.bad(path + ".rtp")) return;
  check_splice(rules, stream);
  check_face(rules, stream, path);
  if (!rules.bad(path_of(stream) + ".failover.continuity")) check_effect(rules, stream, path);
}

}  // namespace castgate
