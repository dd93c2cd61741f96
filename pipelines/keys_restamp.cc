// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr KeyInfo kTable[] = {
    {.path = "streams.*.restamp",
     .fallback = none_text,
     .meaning = "the RTP header that the stream leaves with; see also failover.continuity"},
    {.path = "streams.*.restamp.rtp",
     .kind = KeyKind::Choice,
     .choices = kRtpFaceNames,
     .fallback = [](D d) { return choice_text(kRtpFaceNames, d.restamp.rtp); },
     .meaning = "keep it; insert one before raw MPEG-TS and the like; strip it off"},
    {.path = "streams.*.restamp.payload_type",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 127,
     .fallback = [](D d) { return std::to_string(d.restamp.payload_type); },
     .meaning = "rtp: insert: what the header says follows it; 33 is MPEG-TS"},
    {.path = "streams.*.restamp.clock_rate",
     .kind = KeyKind::Frequency,
     .least = 1,
     .most = 100'000'000,
     .fallback = [](D) { return std::string("the payload type's (RFC 3551), or 90kHz"); },
     .meaning = "of the timestamp, with rtp: insert and continuity: splice"},
    {.path = "streams.*.restamp.ssrc",
     .kind = KeyKind::Ssrc,
     .least = 0,
     .most = 0xffffffff,
     .fallback = [](D) { return std::string("made of the stream's name"); },
     .meaning = "the stream's own, with rtp: insert and continuity: splice"},
};

}  // namespace

const std::span<const KeyInfo> kRestampKeys = kTable;

}  // namespace castgate
