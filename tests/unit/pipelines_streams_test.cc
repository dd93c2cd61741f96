// SPDX-License-Identifier: Apache-2.0
// Rules of a stream: its legs, its outputs and the window between them.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::warnings_of;
using test::YamlFile;

YamlFile leg_with(const std::string& keys) {
  return {.legs = "A: {port: red, " + keys + "}"};
}

YamlFile output_with(const std::string& keys) {
  return {.outputs = "o: {port: out, " + keys + "}"};
}

std::string several(const std::string& entry, int count) {
  std::string all;
  for (int i = 1; i <= count; ++i) {
    all += fmt::format(fmt::runtime(entry), fmt::arg("n", i)) + (i < count ? ", " : "");
  }
  return all;
}

TEST(StreamRules, stream_has_one_to_eight_legs) {
  const std::string leg = "L{n}: {{port: red, to: '239.1.0.{n}:5000'}}";
  EXPECT_EQ(errors_of({.legs = ""}), "f:5:7: streams.s.legs: a stream needs a leg");
  EXPECT_EQ(errors_of({.legs = several(leg, 1)}), "");
  EXPECT_EQ(errors_of({.legs = several(leg, 8)}), "");
  EXPECT_EQ(errors_of({.legs = several(leg, 9)}), "f:5:7: streams.s.legs: 9 legs: at most 8");
}

TEST(StreamRules, stream_has_one_to_sixteen_outputs) {
  const std::string output = "O{n}: {{port: out, to: '239.9.0.{n}:5000', source: 10.0.0.9}}";
  EXPECT_EQ(errors_of({.outputs = ""}), "f:7:10: streams.s.outputs: a stream needs an output");
  EXPECT_EQ(errors_of({.outputs = several(output, 16)}), "");
  EXPECT_EQ(errors_of({.outputs = several(output, 17)}),
            "f:7:10: streams.s.outputs: 17 outputs: at most 16");
}

TEST(StreamRules, source_filter_is_a_station_of_the_groups_ip_version) {
  EXPECT_EQ(errors_of(leg_with("from: 239.0.0.1, to: 239.1.0.1:5000")),
            "f:5:29: streams.s.legs.A.from: a multicast group is no source");
  EXPECT_EQ(errors_of(leg_with("from: 255.255.255.255, to: 239.1.0.1:5000")),
            "f:5:29: streams.s.legs.A.from: the broadcast address is no source");
  EXPECT_EQ(errors_of(leg_with("from: 127.0.0.1, to: 239.1.0.1:5000")),
            "f:5:29: streams.s.legs.A.from: a loopback address never leaves its machine");
  EXPECT_EQ(errors_of(leg_with("from: 0.0.0.0, to: 239.1.0.1:5000")),
            "f:5:29: streams.s.legs.A.from: the unspecified address is no source");
  EXPECT_EQ(errors_of(leg_with("from: 'fd00::1', to: 239.1.0.1:5000")),
            "f:5:29: streams.s.legs.A.from: fd00::1 and 239.1.0.1 are not of one IP version");
}

TEST(StreamRules, unicast_leg_is_an_address_of_its_port) {
  EXPECT_EQ(errors_of(leg_with("to: 10.1.0.2:5000")), "");
  EXPECT_EQ(errors_of(leg_with("vlan: 43, to: 10.43.0.2:5000")), "");
  EXPECT_EQ(errors_of(leg_with("to: 10.1.0.3:5000")),
            "f:5:27: streams.s.legs.A.to: 10.1.0.3 is neither a group nor an address of port red "
            "(untagged)");
  EXPECT_EQ(errors_of(leg_with("vlan: 43, to: 10.1.0.2:5000")),
            "f:5:37: streams.s.legs.A.to: 10.1.0.2 is neither a group nor an address of port red "
            "(43)");
  const YamlFile unknown{.legs = "A: {port: blue, to: 10.1.0.3:5000}"};
  EXPECT_EQ(errors_of(unknown), "");
  EXPECT_EQ(warnings_of(unknown),
            "f:5:28: warning: streams.s.legs.A.to: 10.1.0.3 is no group, and port blue lists no "
            "addresses (untagged)");
  for (const auto* to : {"0.0.0.0:1", "127.0.0.1:1", "255.255.255.255:1"}) {
    EXPECT_NE(errors_of(leg_with("to: " + std::string(to))).find("neither a group nor"),
              std::string::npos);
  }
}

TEST(StreamRules, vlan_that_the_port_does_not_list_is_fine) {
  EXPECT_EQ(errors_of(leg_with("vlan: 99, to: 239.1.0.1:5000")), "");
  EXPECT_EQ(warnings_of(leg_with("vlan: 99, to: 239.1.0.1:5000")), "");
}

TEST(StreamRules, groups_with_a_catch_are_warned_of) {
  const std::string local = "stays on its link and is flooded by every switch";
  EXPECT_EQ(warnings_of(leg_with("to: 224.0.0.5:5000")),
            "f:5:27: warning: streams.s.legs.A.to: 224.0.0.5 " + local);
  EXPECT_EQ(warnings_of(leg_with("to: 224.0.1.5:5000")), "");
  EXPECT_EQ(warnings_of(leg_with("to: '[ff02::5]:5000'")),
            "f:5:27: warning: streams.s.legs.A.to: ff02::5 " + local);
  EXPECT_EQ(warnings_of(output_with("to: 224.0.0.5:5000, source: 10.0.0.9")),
            "f:7:30: warning: streams.s.outputs.o.to: 224.0.0.5 " + local);
  EXPECT_EQ(warnings_of(leg_with("to: 232.0.0.5:5000")),
            "f:5:27: warning: streams.s.legs.A.to: 232.0.0.5 is source-specific: networks deliver "
            "it with from: only");
  EXPECT_EQ(warnings_of(leg_with("from: 10.1.0.5, to: 232.0.0.5:5000")), "");
  EXPECT_NE(warnings_of(leg_with("to: '[ff3e::5]:5000'")), "");
}

TEST(StreamRules, output_leaves_to_a_group) {
  EXPECT_EQ(errors_of(output_with("to: 10.0.0.7:5000, source: 10.0.0.9")),
            "f:7:30: streams.s.outputs.o.to: 10.0.0.7 is no group; to clients: unicast: {} instead "
            "of to:, and they join (castgate join, doors.rest)");
}

TEST(StreamRules, output_source_is_a_station_of_the_groups_ip_version) {
  EXPECT_EQ(errors_of(output_with("to: 239.9.0.1:5000, source: 239.0.0.9")),
            "f:7:54: streams.s.outputs.o.source: a multicast group is no source");
  EXPECT_EQ(errors_of(output_with("to: 239.9.0.1:5000, source: 0.0.0.0")),
            "f:7:54: streams.s.outputs.o.source: the unspecified address is no source");
  EXPECT_EQ(errors_of(output_with("to: '[ff3e::1]:5000', source: 10.0.0.9")),
            "f:7:56: streams.s.outputs.o.source: 10.0.0.9 and ff3e::1 are not of one IP version");
}

TEST(StreamRules, output_source_outside_the_ports_network_is_a_warning) {
  const YamlFile outside = output_with("to: 239.9.0.1:5000, source: 10.0.1.9");
  EXPECT_EQ(errors_of(outside), "");
  EXPECT_EQ(warnings_of(outside),
            "f:7:54: warning: streams.s.outputs.o.source: 10.0.1.9 is outside the networks of port "
            "out (untagged): receivers may refuse it (reverse path)");
  // Nothing to compare with: no addresses in that VLAN, or of the other IP version only.
  EXPECT_EQ(warnings_of(output_with("vlan: 7, to: 239.9.0.1:5000, source: 10.0.1.9")), "");
  EXPECT_EQ(warnings_of(output_with("to: '[ff3e::1]:5000', source: 'fd00::1'")), "");
}

TEST(StreamRules, window_wider_than_half_the_sequence_names_what_fits) {
  // 32768 positions are half of RTP's range: one fewer is the most that can be told apart.
  EXPECT_EQ(errors_of({.failover = "max_skew: 327679us, max_rate: 100kpps"}), "");
  EXPECT_EQ(errors_of({.failover = "max_skew: 327680us, max_rate: 100kpps"}),
            "f:6:22: streams.s.failover.max_skew: max_rate x hold is 32768 positions, half of the "
            "sequence's range is 32768: 327ms fits at 100kpps, or 99kpps at 327680us; or "
            "sequence: rtp_extended");
  EXPECT_EQ(errors_of({.failover = "max_skew: 1s, max_rate: 100kpps"}),
            "f:6:22: streams.s.failover.max_skew: max_rate x hold is 100000 positions, half of the "
            "sequence's range is 32768: 327ms fits at 100kpps, or 32kpps at 1s; or sequence: "
            "rtp_extended");
  EXPECT_EQ(errors_of({.failover = "release: playout, playout_delay: 1s"}),
            "f:6:45: streams.s.failover.playout_delay: max_rate x hold is 100000 positions, half "
            "of the sequence's range is 32768: 327ms fits at 100kpps, or 32kpps at 1s; or "
            "sequence: rtp_extended");
}

TEST(StreamRules, window_is_complained_of_at_the_key_that_was_given) {
  EXPECT_EQ(errors_of({.failover = "max_rate: 10Mpps"}),
            "f:6:22: streams.s.failover.max_rate: max_rate x hold is 100000 positions, half of the "
            "sequence's range is 32768: 3276us fits at 10Mpps, or 3276kpps at 10ms; or sequence: "
            "rtp_extended");
}

TEST(StreamRules, extended_sequences_allow_wider_windows_within_memory) {
  const std::string extended = "sequence: rtp_extended,";
  EXPECT_EQ(errors_of({.failover = "max_skew: 1s, max_rate: 100kpps", .stream = extended}), "");
  EXPECT_EQ(errors_of({.failover = "max_skew: 10s, max_rate: 200kpps", .stream = extended}), "");
  EXPECT_EQ(errors_of({.failover = "max_skew: 10s, max_rate: 210kpps", .stream = extended}),
            "f:6:22: streams.s.failover.max_skew: the merge window would be 8388608 positions, at "
            "most 4194304: 9986ms fits at 210kpps, or 209kpps at 10s");
  EXPECT_EQ(
      errors_of({.failover = "max_skew: 10s, max_rate: 1000Mpps", .stream = extended}),
      "f:6:22: streams.s.failover.max_skew: max_rate x hold is 10000000000 positions, half of "
      "the sequence's range is 2147483648: 2097us fits at 1000Mpps, or 209kpps at 10s");
}

TEST(StreamRules, values_that_are_said_to_fit_do_fit) {
  for (const auto* fits :
       {"max_skew: 327ms, max_rate: 100kpps", "max_skew: 3276us, max_rate: 10Mpps",
        "max_rate: 3276kpps", "max_skew: 1s, max_rate: 32kpps"}) {
    EXPECT_EQ(errors_of({.failover = fits}), "") << fits;
  }
  for (const auto* fits :
       {"max_skew: 9986ms, max_rate: 210kpps", "max_skew: 2097us, max_rate: 1000Mpps",
        "max_skew: 10s, max_rate: 209kpps"}) {
    EXPECT_EQ(errors_of({.failover = fits, .stream = "sequence: rtp_extended,"}), "") << fits;
  }
}

TEST(StreamRules, playout_delay_is_at_least_max_skew) {
  EXPECT_EQ(errors_of({.failover = "release: playout, max_skew: 5ms, playout_delay: 4ms"}),
            "f:6:60: streams.s.failover.playout_delay: 4ms is less than max_skew, 5ms: the slower "
            "leg would be late");
  EXPECT_EQ(errors_of({.failover = "release: playout, max_skew: 5ms, playout_delay: 5ms"}), "");
  EXPECT_EQ(errors_of({.failover = "release: playout"}), "");
}

TEST(StreamRules, playout_delay_without_playout_is_refused) {
  EXPECT_EQ(errors_of({.failover = "playout_delay: 40ms"}),
            "f:6:27: streams.s.failover.playout_delay: has no effect without release: playout");
}

TEST(StreamRules, value_that_cannot_be_read_is_complained_of_once) {
  EXPECT_EQ(errors_of({.failover = "max_skew: 1000000s, max_rate: 200Mpps"}),
            "f:6:22: streams.s.failover.max_skew: 1000000s is out of range: 1us to 10s");
  EXPECT_EQ(errors_of({.legs = "A: {port: nil, to: 10.9.9.9:1}"}),
            "f:5:18: streams.s.legs.A.port: no port is named 'nil'; there are: red, blue, out");
}

TEST(StreamRules, prefer_takes_an_order_of_legs_and_needs_packets_to_wait) {
  EXPECT_EQ(errors_of({.failover = "selection: prefer, order: [B]"}), "");
  EXPECT_EQ(errors_of({.failover = "selection: prefer, order: [B, C, B]"}),
            "f:6:38: streams.s.failover.order: no leg 'C': there are A, B\n"
            "f:6:38: streams.s.failover.order: leg 'B' twice");
  EXPECT_EQ(errors_of({.failover = "selection: prefer, release: arrival"}),
            "f:6:23: streams.s.failover.selection: prefer needs release: ordered or playout: with "
            "arrival the first copy has left before the preferred one comes");
  EXPECT_EQ(errors_of({.failover = "selection: prefer", .stream = "sequence: moldudp64,"}),
            "f:6:23: streams.s.failover.selection: prefer is not for packets of several messages; "
            "merge is");
  EXPECT_EQ(errors_of({.failover = "switching: {revertive: false}"}),
            "f:6:23: streams.s.failover.switching: has no effect without selection: prefer");
}

TEST(StreamRules, verdicts_need_what_they_judge) {
  EXPECT_EQ(errors_of({.failover = "selection: prefer", .stream = "sequence: fingerprint,"}),
            "f:6:23: streams.s.failover.selection: prefer needs packets with numbers; merge is for "
            "these");
  EXPECT_EQ(errors_of({.stream = "sequence: fingerprint, verify: {mpeg_ts: true},"}),
            "f:4:56: streams.s.verify.mpeg_ts: has no effect: copies of this sequence are equal "
            "byte by byte");
  EXPECT_EQ(errors_of({.stream = "verify: {mpeg_ts: true, payload_type: 33},"}), "");
  EXPECT_EQ(errors_of({.stream = "sequence: cme_mdp3, verify: {payload_type: 33},"}),
            "f:4:58: streams.s.verify.payload_type: needs sequence: rtp or rtp_extended");
  EXPECT_EQ(errors_of({.stream = "verify: {content_check: 96},"}),
            "f:4:39: streams.s.verify.content_check: expected 0 or a power of two from 64 on");
  EXPECT_EQ(errors_of({.failover = "corrupt: use_if_only, release: arrival"}),
            "f:6:21: streams.s.failover.corrupt: use_if_only needs release: ordered or playout, "
            "and packets of one position each");
}

}  // namespace
}  // namespace castgate
