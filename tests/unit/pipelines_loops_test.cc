// SPDX-License-Identifier: Apache-2.0
// Legs that cannot be told apart, outputs that collide, and outputs that would come back in.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::warnings_of;
using test::YamlFile;

TEST(Loops, one_leg_key_in_one_stream_twice_is_an_error) {
  EXPECT_EQ(errors_of({.legs = "A: {port: red, to: 239.1.0.1:5000}, B: {port: red, to: "
                               "239.1.0.1:5000}"}),
            "f:5:44: streams.s.legs.B: port, vlan, from and to are those of streams.s.legs.A: no "
            "packet could tell them apart");
}

TEST(Loops, one_leg_key_in_two_streams_is_an_error) {
  EXPECT_EQ(errors_of({.more = ", t: {legs: {X: {port: blue, to: 239.2.0.1:5002}}, outputs: {o: "
                               "{port: out, to: 239.9.0.9:1, source: 10.0.0.9}}}"}),
            "f:7:81: streams.t.legs.X: port, vlan, from and to are those of streams.s.legs.B: no "
            "packet could tell them apart");
}

TEST(Loops, legs_that_differ_in_one_part_are_told_apart) {
  EXPECT_EQ(errors_of({.legs = "A: {port: red, to: 239.1.0.1:5000}, B: {port: blue, to: "
                               "239.1.0.1:5000}, C: {port: red, vlan: 7, to: 239.1.0.1:5000}, "
                               "D: {port: red, vlan: 7.7, to: 239.1.0.1:5000}, "
                               "E: {port: red, to: 239.1.0.1:5001}, "
                               "F: {port: red, from: 10.1.0.5, to: 239.1.0.1:5000}, "
                               "G: {port: red, from: 10.1.0.6, to: 239.1.0.1:5000}"}),
            "");
}

YamlFile returning(const std::string& leg, const std::string& output) {
  return {.legs = "A: {" + leg + ", to: 239.1.0.1:5000}",
          .outputs = "o: {" + output + ", to: 239.1.0.1:5000, source: 10.1.0.9}"};
}

TEST(Loops, output_that_its_own_leg_takes_is_an_error) {
  const std::string error =
      "f:7:11: streams.s.outputs.o: streams.s.legs.A would take this output back in: give it "
      "another group, or the leg a from:";
  EXPECT_EQ(errors_of(returning("port: red", "port: red")), error);
  EXPECT_EQ(errors_of(returning("port: red, from: 10.1.0.9", "port: red")), error);
  EXPECT_EQ(errors_of(returning("port: red, vlan: 7", "port: red, vlan: 7")), error);
}

TEST(Loops, output_that_a_leg_of_another_stream_takes_is_an_error) {
  EXPECT_EQ(errors_of({.more = ", t: {legs: {X: {port: out, to: 239.9.0.1:5000}}, outputs: {o: "
                               "{port: blue, to: 239.9.0.9:1, source: 10.0.0.9}}}"}),
            "f:7:11: streams.s.outputs.main: streams.t.legs.X would take this output back in: give "
            "it another group, or the leg a from:");
}

TEST(Loops, source_filter_lets_a_group_be_used_on_both_sides) {
  const YamlFile file = returning("port: red, from: 10.1.0.5", "port: red");
  EXPECT_EQ(errors_of(file), "");
  EXPECT_EQ(warnings_of(file), "");
}

TEST(Loops, same_group_on_another_wire_is_a_warning) {
  const std::string warning =
      "f:7:11: warning: streams.s.outputs.o: streams.s.legs.A has the same group: where its "
      "network is joined to this one, the output comes back; a from: on the leg tells them apart";
  for (const auto& file :
       {returning("port: red", "port: blue"), returning("port: red, vlan: 7", "port: red"),
        returning("port: red, from: 10.1.0.9", "port: blue")}) {
    EXPECT_EQ(errors_of(file), "");
    EXPECT_EQ(warnings_of(file), warning);
  }
  EXPECT_EQ(warnings_of(returning("port: red, from: 10.1.0.5", "port: blue")), "");
}

TEST(Loops, another_udp_port_is_another_feed) {
  EXPECT_EQ(errors_of({.legs = "A: {port: red, to: 239.1.0.1:5000}",
                       .outputs = "o: {port: red, to: 239.1.0.1:5001, source: 10.1.0.9}"}),
            "");
}

TEST(Loops, equal_outputs_are_an_error) {
  EXPECT_EQ(errors_of({.outputs = "a: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}, "
                                  "b: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9, ttl: 9}"}),
            "f:7:65: streams.s.outputs.b: port, vlan, to and source are those of "
            "streams.s.outputs.a");
}

TEST(Loops, two_sources_to_one_group_are_a_warning) {
  const YamlFile file{.outputs =
                          "a: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}, "
                          "b: {port: out, to: 239.9.0.1:5000, source: 10.0.0.8}"};
  EXPECT_EQ(errors_of(file), "");
  EXPECT_EQ(warnings_of(file),
            "f:7:65: warning: streams.s.outputs.b: streams.s.outputs.a sends to the same group: "
            "only source-specific receivers can tell them apart");
}

}  // namespace
}  // namespace castgate
