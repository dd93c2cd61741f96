// SPDX-License-Identifier: Apache-2.0
// Rules of the appliance and its ports.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_in;
using test::errors_of;
using test::warnings_of;
using test::YamlFile;

// The complaints about a file whose first port has these keys besides its device.
YamlFile port_with(const std::string& keys) {
  return {.ports = "red: {device: d0, " + keys + "}, blue: {device: d1}, out: {device: d2}"};
}

TEST(Rules, file_without_fault_has_no_complaints) {
  EXPECT_EQ(errors_of(YamlFile{}), "");
  EXPECT_EQ(warnings_of({}), "");
}

TEST(Rules, worker_cores_must_be_some_and_differ) {
  EXPECT_EQ(errors_of({.appliance = "worker_cores: []"}),
            "f:2:27: appliance.worker_cores: needs a core");
  EXPECT_EQ(errors_of({.appliance = "worker_cores: [1, 2, 1]"}),
            "f:2:27: appliance.worker_cores: core 1 is given twice: one worker a core");
  std::string cores;
  for (int core = 1; core <= 65; ++core) cores += (core > 1 ? ", " : "") + std::to_string(core);
  EXPECT_EQ(errors_of({.appliance = "worker_cores: [" + cores + "]"}),
            "f:2:27: appliance.worker_cores: at most 64 workers");
}

TEST(Rules, control_core_on_a_workers_core_is_a_warning) {
  EXPECT_EQ(warnings_of({.appliance = "worker_cores: [2, 3], control_core: 3"}),
            "f:2:49: warning: appliance.control_core: core 3 is the control plane's and a "
            "worker's: packets will wait");
  EXPECT_EQ(warnings_of({.appliance = "worker_cores: [0]"}),
            "f:2:27: warning: appliance.worker_cores: core 0 is the control plane's and a "
            "worker's: packets will wait");
  EXPECT_EQ(errors_of({.appliance = "worker_cores: [0]"}), "");
}

TEST(Rules, hugepages_come_in_whole_pages) {
  EXPECT_EQ(errors_of({.appliance = "hugepages: 33MiB"}),
            "f:2:24: appliance.hugepages: must be a multiple of 2MiB");
}

TEST(Rules, streams_beyond_max_streams_are_refused) {
  const std::string second =
      ", t: {legs: {A: {port: red, to: 239.1.0.9:1}}, outputs: {o: {port: out, to: 239.9.0.9:1, "
      "source: 10.0.0.9}}}";
  EXPECT_EQ(errors_of({.appliance = "max_streams: 1", .more = second}),
            "f:4:10: streams: 2 streams, and appliance.max_streams is 1");
  EXPECT_EQ(errors_of({.appliance = "max_streams: 2", .more = second}), "");
}

TEST(Rules, file_without_streams_is_warned_of) {
  const Reading reading = read_spec_text("schema: 1\nports: {p: {device: d}}\nstreams: {}\n", "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(test::joined(reading.warnings),
            "f:3:10: warning: streams: no streams: nothing will be forwarded");
}

TEST(Rules, windows_of_all_streams_are_bounded_together) {
  YamlFile file{.failover = "max_rate: 200kpps, max_skew: 10s",
                .stream = "sequence: rtp_extended,"};
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    file.more += ", t" + n + ": {legs: {A: {port: red, to: 239.1.1." + n +
                 ":1}}, sequence: rtp_extended, failover: {max_rate: 200kpps, max_skew: 10s}, "
                 "outputs: {o: {port: out, to: 239.9.1." +
                 n + ":1, source: 10.0.0.9}}}";
  }
  EXPECT_EQ(errors_of(file),
            "f:4:10: streams: the merge windows hold 171966464 positions together: at most "
            "134217728; lower max_rate or max_skew");
}

TEST(Rules, ports_must_be_some_and_not_too_many) {
  EXPECT_EQ(errors_in("schema: 1\nports: {}\n"),
            "f:2:8: ports: no port: a manager without ports is not yet there");
  YamlFile file;
  for (int i = 3; i < 65; ++i) {
    const std::string n = std::to_string(i);
    file.ports += ", p" + n + ": {device: e" + n + "}";
  }
  EXPECT_EQ(errors_of(file), "f:3:8: ports: 65 ports: at most 64");
}

TEST(Rules, device_belongs_to_one_port) {
  EXPECT_EQ(errors_of({.ports = "red: {device: d0}, blue: {device: d0}, out: {device: d2}"}),
            "f:3:43: ports.blue.device: 'd0' is ports.red.device's already");
  EXPECT_EQ(errors_of({.ports = "red: {device: 'net_tap0,iface=a'}, blue: {device: d1}, out: "
                                "{device: 'net_tap0,iface=b'}"}),
            "f:3:78: ports.out.device: 'net_tap0' is ports.red.device's already");
}

TEST(Rules, own_addresses_are_stations_in_a_network) {
  EXPECT_EQ(errors_of(port_with("addresses: [239.0.0.1/24]")),
            "f:3:38: ports.red.addresses: 239.0.0.1/24: a multicast group is no source");
  EXPECT_EQ(errors_of(port_with("addresses: [127.0.0.1/8]")),
            "f:3:38: ports.red.addresses: 127.0.0.1/8: a loopback address never leaves its "
            "machine");
  EXPECT_EQ(errors_of(port_with("addresses: [10.1.0.2/0]")),
            "f:3:38: ports.red.addresses: 10.1.0.2/0: a network's length is not 0");
  EXPECT_EQ(
      errors_of(port_with("addresses: [10.1.0.2/24], vlans: {7: {addresses: [10.1.0.2/16]}}")),
      "f:3:76: ports.red.vlans.7.addresses: '10.1.0.2' is ports.red.addresses's already");
}

TEST(Rules, gateway_is_a_neighbour_and_not_oneself) {
  EXPECT_EQ(errors_of(port_with("addresses: [10.1.0.2/24], gateway: 10.2.0.1")),
            "f:3:62: ports.red.gateway: 10.2.0.1 is in none of the port's networks: see addresses");
  EXPECT_EQ(errors_of(port_with("gateway: 10.2.0.1")),
            "f:3:36: ports.red.gateway: 10.2.0.1 is in none of the port's networks: see addresses");
  EXPECT_EQ(errors_of(port_with("addresses: [10.1.0.2/24], gateway: 10.1.0.2")),
            "f:3:62: ports.red.gateway: is the port's own address");
  EXPECT_EQ(errors_of(port_with("gateway: 10.6.0.1, vlans: {7: {addresses: [10.6.0.2/24]}}")), "");
}

TEST(Rules, macs_and_neighbours_are_stations) {
  EXPECT_EQ(errors_of(port_with("mac: '01:00:5e:00:00:01'")),
            "f:3:32: ports.red.mac: 01:00:5e:00:00:01 is not a station's MAC address");
  EXPECT_EQ(errors_of(port_with("mac: '00:00:00:00:00:00'")),
            "f:3:32: ports.red.mac: 00:00:00:00:00:00 is not a station's MAC address");
  EXPECT_EQ(errors_of(port_with("neighbours: {239.0.0.1: '02:00:00:00:00:01'}")),
            "f:3:40: ports.red.neighbours.'239.0.0.1': a multicast group is no source");
}

}  // namespace
}  // namespace castgate
