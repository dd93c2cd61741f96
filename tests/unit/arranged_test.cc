// SPDX-License-Identifier: Apache-2.0
// Where streams and legs stand after the file was read again; which keys need a restart.
#include <gtest/gtest.h>

#include "dataplane/contract/reload.h"

namespace castgate {
namespace {

using Texts = std::vector<std::string>;

StreamSpec stream(const std::string& name, unsigned number) {
  StreamSpec made;
  made.name = name;
  const auto group = [&](unsigned path) {
    return Endpoint{IpAddress::v4(0xef000000 | path << 16 | number), 5000};
  };
  made.legs = {{.name = "A", .to = group(1)}, {.name = "B", .to = group(2)}};
  made.outputs = {{.name = "main", .to = group(9), .source = IpAddress::v4(0x0a000009)}};
  return made;
}

Spec spec_of(std::initializer_list<StreamSpec> streams) {
  Spec made;
  made.ports = {{.name = "red", .device = "net_null0"}};
  made.streams = streams;
  return made;
}

std::vector<std::string> names(const Spec& spec) {
  std::vector<std::string> all;
  all.reserve(spec.streams.size());
  for (const StreamSpec& one : spec.streams) all.push_back(one.name);
  return all;
}

TEST(Arranged, streams_keep_their_places_and_new_ones_take_vacant_ones) {
  const StreamSpec a = stream("a", 1);
  const StreamSpec b = stream("b", 2);
  const StreamSpec c = stream("c", 3);
  const StreamSpec d = stream("d", 4);
  const Spec first = spec_of({a, b, c});
  const Spec without = arranged(first, spec_of({c, a}));
  EXPECT_EQ(names(without), (Texts{"a", "", "c"}));
  const Spec with = arranged(without, spec_of({d, c, b, a}));
  EXPECT_EQ(names(with), (Texts{"a", "d", "c", "b"}));
  const Spec at_once = arranged(first, spec_of({a, d, c}));
  EXPECT_EQ(names(at_once), (Texts{"a", "", "c", "d"}))
      << "a place is not taken while packets of who had it may be on their way";
}

TEST(Arranged, changes_are_told_by_place) {
  Spec before = spec_of({stream("a", 1), stream("b", 2), stream("c", 3)});
  Spec after = arranged(before, spec_of({stream("a", 1), stream("c", 4), stream("d", 5)}));
  EXPECT_EQ(change_of(before, after, 0), StreamChange::None);
  EXPECT_EQ(change_of(before, after, 1), StreamChange::Removed);
  EXPECT_EQ(change_of(before, after, 2), StreamChange::Changed);
  EXPECT_EQ(change_of(before, after, 3), StreamChange::Added);
}

TEST(Arranged, legs_keep_their_numbers_and_the_preference_is_as_written) {
  StreamSpec before = stream("a", 1);
  StreamSpec after = before;
  after.legs = {{.name = "C"}, before.legs[1], before.legs[0]};
  Spec running = spec_of({before});
  const Spec made = arranged(running, spec_of({after}));
  Texts legs;
  for (const LegSpec& leg : made.streams[0].legs) legs.push_back(leg.name);
  EXPECT_EQ(legs, (Texts{"A", "B", "C"}));
  EXPECT_EQ(made.streams[0].failover.order, (Texts{"C", "B", "A"}));
  EXPECT_EQ(change_of(made, arranged(made, spec_of({after})), 0), StreamChange::None)
      << "the same file again";
  after.legs.erase(after.legs.begin());
  EXPECT_EQ(arranged(made, spec_of({after})).streams[0].failover.order, (Texts{"B", "A"}));
}

TEST(Arranged, legs_are_known_by_their_names) {
  StreamSpec before = stream("a", 1);
  StreamSpec after = before;
  after.legs = {before.legs[1], {.name = "C"}};
  const Inherited from = inherited(before, after);
  EXPECT_EQ(from.leg, (std::array<std::int8_t, 8>{1, -1, -1, -1, -1, -1, -1, -1}));
  EXPECT_TRUE(from.numbers);
  after.sequence.format = SequenceFormat::RtpExtended;
  EXPECT_FALSE(inherited(before, after).numbers);
}

TEST(RestartKeys, all_that_differs_but_streams_is_named) {
  const Spec running = spec_of({stream("a", 1)});
  EXPECT_EQ(restart_keys(running, spec_of({stream("b", 2)})), Texts{});
  Spec wanted = running;
  wanted.appliance.max_frame = 9018;
  wanted.appliance.worker_cores = {1, 2};
  wanted.ports[0].mtu = 9000;
  wanted.ports.push_back({.name = "blue", .device = "net_null1"});
  EXPECT_EQ(restart_keys(running, wanted),
            (Texts{"appliance.worker_cores", "appliance.max_frame", "ports.red", "ports.blue"}));
  wanted.ports.clear();
  EXPECT_EQ(restart_keys(running, wanted),
            (Texts{"appliance.worker_cores", "appliance.max_frame", "ports.red"}));
}

TEST(RestartKeys, clients_are_not_split_otherwise_while_they_are_there) {
  Spec running = spec_of({stream("a", 1)});
  running.streams[0].unicasts.push_back({.name = "homes", .fan_workers = 2});
  Spec wanted = running;
  wanted.streams[0].unicasts[0].max_clients = 7;
  wanted.streams[0].unicasts.push_back({.name = "more", .fan_workers = 3});
  EXPECT_EQ(restart_keys(running, wanted), Texts{});
  wanted.streams[0].unicasts[0].fan_workers = 3;
  EXPECT_EQ(restart_keys(running, wanted), (Texts{"streams.a.outputs.homes.unicast.fan_workers"}));
  wanted.streams[0].name = "b";
  EXPECT_EQ(restart_keys(running, wanted), Texts{});
}

}  // namespace
}  // namespace castgate
