// SPDX-License-Identifier: Apache-2.0
// Each value of a file arrives in its field of the Spec, or is complained of at its place.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using std::chrono::milliseconds;
using test::YamlFile;

// The file of the design's chapter on YAML, word by word.
constexpr std::string_view kDesignFile = R"(schema: 1
appliance: {name: edge-1, worker_cores: [1], control_core: 0, hugepages: 512MiB,   # none works too
            state_dir: /var/lib/castgate, control_socket: /run/castgate/control.sock,
            max_streams: 1024, max_clients: 20000, max_frame: 1518}
ports:
  red:  {device: "0000:3b:00.0", addresses: [10.1.0.2/24], gateway: 10.1.0.1,
         vlans: {43: {addresses: [10.43.0.2/24], igmp: 3}}}
  blue: {device: "net_af_packet0,iface=blue0", verify: {ip_checksum: true, udp_checksum: false}}
  out:  {device: "net_af_xdp0,iface=out0", mac: "02:00:00:00:00:03",
         neighbours: {10.9.0.7: "02:00:00:00:09:07"}}
streams:
  news1:
    labels: {service: news}
    legs:
      A: {port: red, vlan: 43, from: 10.1.0.5, to: 239.1.0.1:5000}
      B: {port: blue, to: 239.2.0.1:5002}
    sequence: rtp
    failover: {selection: merge, release: ordered, max_skew: 10ms, max_rate: 100kpps}
    outputs:
      main:   {port: out, to: 239.9.0.1:5000, source: 10.0.0.9, ttl: 16, dscp: 46}
      second: {port: blue, vlan: 7, to: 239.9.0.2:5000, source: 10.0.0.9}
      homes:  {port: out, unicast: {max_clients: 10000}}
)";

// A file that must be right.
Spec spec_of(const YamlFile& file) {
  const Reading reading = read_spec_text(file.text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  return reading.spec;
}

TEST(ReadSpec, design_file_reads) {
  const Reading reading = read_spec_text(kDesignFile, "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(test::joined(reading.warnings), "");
  ASSERT_EQ(reading.spec.ports.size(), 3u);
  ASSERT_EQ(reading.spec.streams.size(), 1u);
  const StreamSpec& stream = reading.spec.streams[0];
  EXPECT_EQ(stream.labels, (std::map<std::string, std::string>{{"service", "news"}}));
  ASSERT_EQ(stream.legs.size(), 2u);
  EXPECT_EQ(stream.legs[0].vlan.to_string(), "43");
  EXPECT_EQ(stream.legs[0].from, IpAddress::parse("10.1.0.5"));
  EXPECT_EQ(stream.legs[1].port, 1u);
  EXPECT_EQ(stream.legs[1].to.to_string(), "239.2.0.1:5002");
  ASSERT_EQ(stream.outputs.size(), 2u);
  ASSERT_EQ(stream.unicasts.size(), 1u);
  EXPECT_EQ(stream.unicasts[0].max_clients, 10'000u);
  EXPECT_EQ(stream.outputs[0].port, 2u);
  EXPECT_EQ(stream.outputs[0].dscp, 46);
  EXPECT_EQ(stream.outputs[1].vlan.to_string(), "7");
}

TEST(ReadSpec, every_key_of_the_appliance_arrives) {
  const ApplianceSpec a =
      spec_of({.appliance = "name: n.1-x_Y, worker_cores: [3, 2], control_core: 1, "
                            "hugepages: 1GiB, polling: busy, state_dir: /s, control_socket: /c, "
                            "max_streams: 7, max_clients: 8, max_frame: 9018"})
          .appliance;
  EXPECT_EQ(a.name, "n.1-x_Y");
  EXPECT_EQ(a.worker_cores, (std::vector<unsigned>{3, 2}));
  EXPECT_EQ(a.control_core, 1u);
  EXPECT_EQ(a.hugepages_bytes, 1ull << 30);
  EXPECT_EQ(a.polling, Polling::Busy);
  EXPECT_EQ(a.state_dir, "/s");
  EXPECT_EQ(a.control_socket, "/c");
  EXPECT_EQ(a.max_streams, 7u);
  EXPECT_EQ(a.max_clients, 8u);
  EXPECT_EQ(a.max_frame, 9018u);
}

TEST(ReadSpec, every_key_of_a_port_arrives) {
  YamlFile file;
  file.ports +=
      ", p: {device: 'net_tap0,iface=x', mac: '02:00:00:00:00:0a', mtu: 9000, igmp: 2,"
      " addresses: [10.5.0.2/24, 'fd00::2/64'], gateway: 10.5.0.1,"
      " verify: {ip_checksum: false, udp_checksum: true, mac: true},"
      " neighbours: {10.5.0.7: '02:00:00:00:09:07', 'fd00::7': '02:00:00:00:09:08'},"
      " vlans: {100.43: {addresses: [10.6.0.2/24], igmp: 3}, 7: {}}}";
  const PortSpec port = spec_of(file).ports.at(3);
  EXPECT_EQ(port.name, "p");
  EXPECT_EQ(port.device, "net_tap0,iface=x");
  EXPECT_EQ(port.mac, MacAddress::parse("02:00:00:00:00:0a"));
  EXPECT_EQ(port.mtu, 9000u);
  EXPECT_EQ(port.gateway, IpAddress::parse("10.5.0.1"));
  EXPECT_FALSE(port.verify.ip_checksum);
  EXPECT_TRUE(port.verify.udp_checksum);
  EXPECT_TRUE(port.verify.mac);
  EXPECT_EQ(port.neighbours.at(*IpAddress::parse("fd00::7")).to_string(), "02:00:00:00:09:08");
  EXPECT_EQ(port.neighbours.size(), 2u);
  ASSERT_EQ(port.networks.size(), 3u);
  EXPECT_EQ(port.networks[0].tags.count(), 0u);
  EXPECT_EQ(port.networks[0].igmp, IgmpVersion::V2);
  ASSERT_EQ(port.networks[0].addresses.size(), 2u);
  EXPECT_EQ(port.networks[0].addresses[1].to_string(), "fd00::2/64");
  EXPECT_EQ(port.networks[1].tags, (VlanTags{100, 43}));
  EXPECT_EQ(port.networks[1].igmp, IgmpVersion::V3);
  EXPECT_EQ(port.networks[1].addresses.at(0).to_string(), "10.6.0.2/24");
  EXPECT_EQ(port.networks[2].tags, (VlanTags{7, 0}));
  EXPECT_EQ(port.networks[2].igmp, IgmpVersion::Auto);
}

TEST(ReadSpec, every_key_of_a_stream_arrives) {
  const StreamSpec s =
      spec_of({.legs = "A: {port: out, vlan: 100.43, from: 'fd00::5', to: '[ff3e::1]:5000'}",
               .failover = "selection: merge, release: playout, max_skew: 5ms, max_rate: 20kpps, "
                           "reorder_depth: 8, playout_delay: 6ms, epoch_hold: 70ms",
               .outputs = "o: {port: blue, vlan: 9, to: 239.9.0.1:5000, source: 10.0.0.9, "
                          "source_port: 4000, ttl: 255, dscp: 0}",
               .stream = "labels: {a: \"b \\xe9\", c: ''}, sequence: rtp_extended,"})
          .streams.at(0);
  EXPECT_EQ(s.labels.at("a"), "b \xc3\xa9");
  EXPECT_EQ(s.labels.at("c"), "");
  EXPECT_EQ(s.sequence.format, SequenceFormat::RtpExtended);
  EXPECT_EQ(s.legs.at(0).port, 2u);
  EXPECT_EQ(s.legs[0].vlan, (VlanTags{100, 43}));
  EXPECT_EQ(s.legs[0].from, IpAddress::parse("fd00::5"));
  EXPECT_EQ(s.legs[0].to.to_string(), "[ff3e::1]:5000");
  EXPECT_EQ(s.failover.release, Release::Playout);
  EXPECT_EQ(s.failover.max_skew, milliseconds(5));
  EXPECT_EQ(s.failover.max_rate_pps, 20'000u);
  EXPECT_EQ(s.failover.reorder_depth, 8u);
  EXPECT_EQ(s.failover.playout_delay, milliseconds(6));
  EXPECT_EQ(s.failover.epoch_hold, milliseconds(70));
  const OutputSpec& o = s.outputs.at(0);
  EXPECT_EQ(o.port, 1u);
  EXPECT_EQ(o.vlan, (VlanTags{9, 0}));
  EXPECT_EQ(o.to.to_string(), "239.9.0.1:5000");
  EXPECT_EQ(o.source.to_string(), "10.0.0.9");
  EXPECT_EQ(o.source_port, 4000u);
  EXPECT_EQ(o.ttl, 255u);
  EXPECT_EQ(o.dscp, 0);
}

TEST(ReadSpec, words_stand_for_what_no_number_says) {
  const Spec spec =
      spec_of({.appliance = "hugepages: none",
               .outputs = "o: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9, ttl: decrement, "
                          "dscp: keep}"});
  EXPECT_EQ(spec.appliance.hugepages_bytes, 0u);
  EXPECT_EQ(spec.streams[0].outputs[0].ttl, 0);
  EXPECT_EQ(spec.streams[0].outputs[0].dscp, std::nullopt);
}

TEST(ReadSpec, ports_legs_and_outputs_keep_the_order_of_the_file) {
  const Spec spec = spec_of({.ports = "z: {device: d0}, a: {device: d1}, m: {device: d2}",
                             .legs = "Z: {port: m, to: 239.1.0.1:1}, B: {port: a, to: 239.1.0.1:2}",
                             .outputs = "y: {port: z, to: 239.9.0.1:1, source: 10.0.0.9}, "
                                        "b: {port: z, to: 239.9.0.1:2, source: 10.0.0.9}"});
  EXPECT_EQ(spec.ports[0].name + spec.ports[1].name + spec.ports[2].name, "zam");
  EXPECT_EQ(spec.streams[0].legs[0].name + spec.streams[0].legs[1].name, "ZB");
  EXPECT_EQ(spec.streams[0].legs[0].port, 2u);
  EXPECT_EQ(spec.streams[0].outputs[0].name + spec.streams[0].outputs[1].name, "yb");
}

TEST(ReadSpec, absent_keys_keep_the_defaults_of_the_spec) {
  const Spec spec = spec_of({});
  EXPECT_EQ(spec.appliance.max_frame, ApplianceSpec{}.max_frame);
  EXPECT_EQ(spec.streams[0].failover.max_skew, FailoverSpec{}.max_skew);
  EXPECT_EQ(spec.streams[0].outputs[0].ttl, OutputSpec{}.ttl);
}

TEST(ReadSpec, sequence_may_be_written_as_a_map) {
  const Spec spec = spec_of({.stream = "sequence: {format: rtp_extended},"});
  EXPECT_EQ(spec.streams[0].sequence.format, SequenceFormat::RtpExtended);
}

TEST(ReadSpec, names_with_dots_are_quoted_in_paths) {
  const Reading reading = read_spec_text(
      YamlFile{.more = ", a.b: {legs: {x.y: {port: nil, to: 239.1.0.9:1}}, outputs: {o: {port: "
                       "out, to: 239.9.0.9:1, source: 10.0.0.9}}}"}
          .text(),
      "f");
  ASSERT_EQ(reading.errors.size(), 1u);
  EXPECT_EQ(reading.errors[0].key, "streams.'a.b'.legs.'x.y'.port");
}

TEST(ReadSpec, places_are_kept_for_complaints_that_need_the_host) {
  const Reading reading = read_spec_text(YamlFile{.appliance = "worker_cores: [1, 9]"}.text(), "f");
  EXPECT_EQ(reading.places.find("appliance.worker_cores[1]"), (Place{2, 31}));
  EXPECT_EQ(reading.places.find("ports.red.device"), (Place{3, 23}));
  EXPECT_EQ(reading.places.find("ports.red.mtu"), (Place{3, 9}));  // not given: the port's
  EXPECT_EQ(reading.places.find("no.such.path"), (Place{1, 1}));
}

}  // namespace
}  // namespace castgate
