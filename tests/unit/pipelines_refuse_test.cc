// SPDX-License-Identifier: Apache-2.0
// What a reader does not take, and what it says then.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_in;
using test::errors_of;
using test::YamlFile;

TEST(RefuseSpec, unknown_key_names_the_known_ones) {
  EXPECT_EQ(errors_of({.failover = "max_skwe: 5ms"}),
            "f:6:12: streams.s.failover.max_skwe: unknown key; known here: selection, order, "
            "corrupt, switching, release, "
            "max_skew, max_rate, reorder_depth, playout_delay, epoch_hold, continuity");
  EXPECT_EQ(errors_of({.ports = "red: {device: d0, verify: {ipv4: true}}, blue: {device: d1}, "
                                "out: {device: d2}"}),
            "f:3:36: ports.red.verify.ipv4: unknown key; known here: ip_checksum, udp_checksum, "
            "mac");
}

TEST(RefuseSpec, keys_that_begin_with_x_are_the_users_own) {
  EXPECT_EQ(errors_of({.appliance = "x-owner: [1, {a: b}]",
                       .ports = "x-note: 1, red: {device: d0, x-rack: 7}, blue: {device: d1}, "
                                "out: {device: d2}",
                       .failover = "x-why: because",
                       .stream = "x-a: b, labels: {x-l: {}},"}),
            "");
}

TEST(RefuseSpec, wrong_type_is_named_where_it_stands) {
  EXPECT_EQ(errors_of({.appliance = "max_frame: many"}),
            "f:2:24: appliance.max_frame: expected a whole number");
  EXPECT_EQ(errors_of({.appliance = "max_frame: [1]"}),
            "f:2:24: appliance.max_frame: expected number");
  EXPECT_EQ(errors_of({.appliance = "worker_cores: 1"}),
            "f:2:27: appliance.worker_cores: expected a list of number, in [ ]");
  EXPECT_EQ(errors_of({.appliance = "worker_cores: [1, x]"}),
            "f:2:31: appliance.worker_cores[1]: expected a whole number");
  EXPECT_EQ(errors_of({.appliance = "name: "}), "f:2:13: appliance.name: needs a value");
  EXPECT_EQ(errors_of({.legs = "A: 7"}),
            "f:5:11: streams.s.legs.A: expected 'key: value' lines "
            "here");
  EXPECT_EQ(errors_of({.legs = "A"}), "f:5:8: streams.s.legs.A: expected 'key: value' lines here");
  EXPECT_EQ(errors_of({.stream = "labels: {a: []},"}), "f:4:27: streams.s.labels.a: expected text");
  EXPECT_EQ(errors_of({.stream = "labels: [],"}),
            "f:4:23: streams.s.labels: expected 'name: ...' lines here");
}

TEST(RefuseSpec, number_without_its_unit_is_an_error) {
  EXPECT_EQ(errors_of({.failover = "max_skew: 10"}),
            "f:6:22: streams.s.failover.max_skew: needs a unit: 10ms, 500us");
  EXPECT_EQ(errors_of({.failover = "max_rate: 100000"}),
            "f:6:22: streams.s.failover.max_rate: needs a unit: 100kpps, 2500pps");
  EXPECT_EQ(errors_of({.appliance = "hugepages: 512"}),
            "f:2:24: appliance.hugepages: needs a unit: 512MiB, 1GiB, or none");
}

TEST(RefuseSpec, value_out_of_range_names_the_range) {
  EXPECT_EQ(errors_of({.failover = "max_skew: 11s"}),
            "f:6:22: streams.s.failover.max_skew: 11s is out of range: 1us to 10s");
  EXPECT_EQ(errors_of({.failover = "reorder_depth: 65"}),
            "f:6:27: streams.s.failover.reorder_depth: 65 is out of range: 0 to 64");
  const auto output = [](const std::string& more) {
    return errors_of(
        {.outputs = "o: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9, " + more + "}"});
  };
  EXPECT_EQ(output("ttl: 0"),
            "f:7:69: streams.s.outputs.o.ttl: 0 is out of range: 1 to 255, or "
            "decrement");
  EXPECT_EQ(output("ttl: 256"),
            "f:7:69: streams.s.outputs.o.ttl: 256 is out of range: 1 to 255, "
            "or decrement");
  EXPECT_EQ(output("dscp: 64"),
            "f:7:70: streams.s.outputs.o.dscp: 64 is out of range: 0 to 63, "
            "or keep");
  EXPECT_EQ(output("source_port: 65536"),
            "f:7:77: streams.s.outputs.o.source_port: 65536 is out of range: 1 to 65535");
}

TEST(RefuseSpec, schema_must_be_given_and_be_one) {
  const std::string text = YamlFile{}.text();
  EXPECT_EQ(errors_in(text.substr(text.find('\n') + 1)),
            "f:1:1: schema: missing: version of this file's language");
  EXPECT_EQ(errors_in("schema: 2" + text.substr(text.find('\n'))),
            "f:1:9: schema: 2 is out of range: 1");
}

TEST(RefuseSpec, required_keys_are_missed_where_they_belong) {
  EXPECT_EQ(errors_of({.legs = "A: {port: red}"}),
            "f:5:11: streams.s.legs.A.to: missing: group, or an address of the port's own, and UDP "
            "port");
  EXPECT_EQ(errors_of({.outputs = "o: {to: 239.9.0.1:5000}"}),
            "f:7:14: streams.s.outputs.o.port: missing: the port it leaves by\n"
            "f:7:14: streams.s.outputs.o.source: missing: source address that leaves");
  EXPECT_EQ(errors_in("schema: 1\n"),
            "f:1:1: ports: missing: network interfaces, by a name of yours, in replay's order; a "
            "manager without ports is not yet there");
}

TEST(RefuseSpec, addresses_are_checked_letter_by_letter) {
  EXPECT_EQ(errors_of({.legs = "A: {port: red, to: 239.1.0.1}"}),
            "f:5:27: streams.s.legs.A.to: '239.1.0.1' is not an address and a UDP port: "
            "239.1.0.1:5000, \"[ff3e::1]:5000\"");
  EXPECT_EQ(errors_of({.legs = "A: {port: red, from: 10.1.0, to: 239.1.0.1:5000}"}),
            "f:5:29: streams.s.legs.A.from: '10.1.0' is not an IP address");
  EXPECT_EQ(errors_of({.legs = "A: {port: red, vlan: 4095, to: 239.1.0.1:5000}"}),
            "f:5:29: streams.s.legs.A.vlan: '4095' is not a VLAN from 1 to 4094: 43, or 100.43 for "
            "QinQ");
  EXPECT_EQ(errors_of({.ports = "red: {device: d, addresses: [10.1.0.2]}, blue: {device: e}, out: "
                                "{device: f}"}),
            "f:3:38: ports.red.addresses[0]: '10.1.0.2' is not an address with its network's "
            "length: 10.1.0.2/24");
  EXPECT_EQ(errors_of({.ports = "red: {device: d, mac: 2}, blue: {device: e}, out: {device: f}"}),
            "f:3:31: ports.red.mac: '2' is not a MAC address: 02:00:00:00:00:03");
}

TEST(RefuseSpec, names_are_checked_everywhere) {
  const std::string rule = "a name is 1 to 64 letters, digits, _ . and -";
  EXPECT_EQ(errors_of({.more = ", 'a b': {}"}), "f:7:70: streams.'a b': " + rule);
  YamlFile file;
  file.ports += ", 'a/b': {device: d9}";
  EXPECT_NE(errors_of(file).find("ports.a/b: " + rule), std::string::npos);
  EXPECT_NE(errors_of({.legs = "'': {}"}).find("streams.s.legs.'': " + rule), std::string::npos);
  EXPECT_NE(errors_of({.legs = std::string(65, 'a') + ": {}"}).find(rule), std::string::npos);
  EXPECT_NE(errors_of({.outputs = "\xc3\xa9: {}"}).find(rule), std::string::npos);
  EXPECT_EQ(errors_of({.appliance = "name: 'a b'"}),
            "f:2:19: appliance.name: 'a b': a name is letters, digits, _ . and -");
}

TEST(RefuseSpec, vlans_and_neighbours_are_checked_by_their_keys) {
  const auto port = [](const std::string& more) {
    return errors_of(
        {.ports = "red: {device: d, " + more + "}, blue: {device: e}, out: {device: f}"});
  };
  EXPECT_EQ(port("vlans: {0: {}}"),
            "f:3:34: ports.red.vlans.0: a VLAN is 1 to 4094: 43, or 100.43 for QinQ");
  EXPECT_EQ(port("vlans: {43: {}, 043: {}}"),
            "f:3:42: ports.red.vlans.043: this VLAN was given before");
  EXPECT_EQ(port("neighbours: {router: '02:00:00:00:00:01'}"),
            "f:3:39: ports.red.neighbours.router: 'router' is not an IP address");
  EXPECT_EQ(port("neighbours: {10.0.0.1: '01:00:5e:00:00:01'}"),
            "f:3:49: ports.red.neighbours.'10.0.0.1': '01:00:5e:00:00:01' is not a station's MAC "
            "address: \"02:00:00:00:09:07\"");
  EXPECT_EQ(port("neighbours: {'fd00::1': '02:00:00:00:00:01', 'fd00:0::1': '02:00:00:00:00:01'}"),
            "f:3:71: ports.red.neighbours.fd00:0::1: this address was given before");
  EXPECT_EQ(port("vlans: {43: }"), "f:3:34: ports.red.vlans.43: expected 'key: value' lines here");
}

TEST(RefuseSpec, paths_and_devices_hold_no_surprises) {
  EXPECT_EQ(errors_of({.appliance = "state_dir: var"}),
            "f:2:24: appliance.state_dir: expected an absolute path: /run/castgate");
  EXPECT_EQ(errors_of({.appliance = "control_socket: /" + std::string(107, 'a')}),
            "f:2:29: appliance.control_socket: expected 1 to 107 characters");
  EXPECT_EQ(
      errors_of({.ports = "red: {device: 'd --vdev x'}, blue: {device: e}, out: {device: f}"}),
      "f:3:23: ports.red.device: a device is printable ASCII without blanks");
  EXPECT_EQ(errors_of({.stream = "labels: {a: \"b\\0\"},"}),
            "f:4:27: streams.s.labels.a: expected printable text");
}

TEST(RefuseSpec, unknown_port_names_the_ports_there_are) {
  EXPECT_EQ(errors_of({.legs = "A: {port: rde, to: 239.1.0.1:5000}"}),
            "f:5:18: streams.s.legs.A.port: no port is named 'rde'; there are: red, blue, out");
  EXPECT_EQ(errors_of({.outputs = "o: {port: x, to: 239.9.0.1:5000, source: 10.0.0.9}"}),
            "f:7:21: streams.s.outputs.o.port: no port is named 'x'; there are: red, blue, out");
}

TEST(RefuseSpec, words_of_later_versions_are_refused_as_not_yet) {
  EXPECT_NE(errors_of({.stream = "sequence: {key: {}},"})
                .find("sequence.key: not yet: formats that need a key of their own"),
            std::string::npos);
  for (const auto* word : {"pair", "include", "profiles", "templates"}) {
    const std::string text = YamlFile{}.text() + word + ": {}\n";
    EXPECT_NE(errors_in(text).find(std::string("f:8:1: ") + word + ": not yet: "),
              std::string::npos)
        << word;
    EXPECT_NE(errors_of({.stream = std::string(word) + ": {},"}).find(": not yet: "),
              std::string::npos)
        << word;
  }
}

TEST(RefuseSpec, generic_sequence_says_where_its_numbers_are) {
  const std::string at = "f:4:25: streams.s.sequence";
  EXPECT_EQ(errors_of({.stream = "sequence: generic,"}),
            at + ": format: generic needs a position: {at: ..., width: ...}");
  EXPECT_EQ(errors_of({.stream = "sequence: {format: generic, position: {at: 24}},"}),
            "f:4:53: streams.s.sequence.position.width: missing: how long it is");
  EXPECT_EQ(errors_of({.stream = "sequence: {format: generic, position: {at: 1, width: 9}},"}),
            "f:4:68: streams.s.sequence.position.width: 9 is out of range: 2 to 8");
  EXPECT_EQ(errors_of({.stream = "sequence: {format: rtp, epoch: {at: 4, width: 4}},"}),
            "f:4:46: streams.s.sequence.epoch: has no effect without format: generic");
}

TEST(RefuseSpec, overlap_needs_messages_that_can_be_cut) {
  EXPECT_EQ(errors_of({.stream = "sequence: {format: moldudp64, overlap: pass},"}), "");
  EXPECT_EQ(errors_of({.stream = "sequence: {format: cme_mdp3, overlap: pass},"}),
            "f:4:53: streams.s.sequence.overlap: has no effect: each packet of this format is one "
            "position");
  EXPECT_EQ(errors_of({.stream = "sequence: {format: generic, position: {at: 0, width: 4}, count: "
                                 "{at: 4, width: 2}, overlap: trim},"}),
            "f:4:107: streams.s.sequence.overlap: trim needs messages with a length each: "
            "moldudp64 or iex_tp");
}

TEST(RefuseSpec, playout_is_not_for_packets_of_several_messages) {
  EXPECT_EQ(errors_of({.failover = "release: playout", .stream = "sequence: iex_tp,"}),
            "f:6:21: streams.s.failover.release: playout is not for packets of several messages; "
            "ordered or arrival is");
}

TEST(RefuseSpec, playout_is_not_for_feeds_without_numbers) {
  EXPECT_EQ(errors_of({.failover = "release: playout", .stream = "sequence: fingerprint,"}),
            "f:6:21: streams.s.failover.release: playout needs packets with a number; ordered or "
            "arrival does not");
  EXPECT_EQ(errors_of({.failover = "release: arrival", .stream = "sequence: fingerprint,"}), "");
}

TEST(RefuseSpec, payloads_that_are_remembered_have_a_limit) {
  EXPECT_EQ(errors_of({.failover = "max_skew: 2s, max_rate: 131kpps",
                       .stream = "sequence: fingerprint,"}),
            "");
  EXPECT_EQ(errors_of({.failover = "max_skew: 2s, max_rate: 140kpps",
                       .stream = "sequence: fingerprint,"}),
            "f:6:22: streams.s.failover.max_skew: 2097152 payloads would be remembered, at most "
            "1048576: 1872ms fits at 140kpps, or 131kpps at 2s");
}

TEST(RefuseSpec, formats_keys_and_selections_of_later_versions_are_named) {
  EXPECT_EQ(errors_of({.stream = "sequence: {format: rtp, key: x},"}),
            "f:4:39: streams.s.sequence.key: not yet: formats that need a key of their own");
  EXPECT_EQ(errors_of({.stream = "sequence: mpegts,"}),
            "f:4:25: streams.s.sequence: 'mpegts' is unknown; one of rtp, rtp_extended, moldudp64, "
            "cme_mdp3, iex_tp, generic, fingerprint");
}

}  // namespace
}  // namespace castgate
