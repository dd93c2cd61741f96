// SPDX-License-Identifier: Apache-2.0
#include "dataplane/placement.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace castgate {
namespace {

// A stream of `pps` with one leg on each of `ports`, and one output.
StreamSpec stream(std::uint64_t pps, const std::vector<unsigned>& ports) {
  StreamSpec made;
  made.failover.max_rate_pps = pps;
  for (const unsigned port : ports) {
    made.legs.push_back({"L", port, {}, {}, {IpAddress::v4(0xef010001), 5000}});
  }
  made.outputs.resize(1);
  return made;
}

TEST(PlacementTest, one_worker_gets_everything) {
  Spec spec;
  spec.ports.resize(3);
  spec.streams = {stream(1000, {0, 1}), stream(2000, {0, 1})};
  const Placement placed = place(spec, 1);
  EXPECT_EQ(placed.worker_of_stream, (std::vector<std::uint8_t>{0, 0}));
  EXPECT_EQ(placed.owner_of_port, (std::vector<std::uint8_t>{0, 0, 0}));
}

TEST(PlacementTest, heaviest_stream_gets_a_worker_of_its_own) {
  Spec spec;
  spec.ports.resize(2);
  spec.streams = {stream(10, {0, 1}), stream(20, {0, 1}), stream(1000, {0, 1}), stream(15, {0, 1})};
  const Placement placed = place(spec, 2);
  EXPECT_EQ(placed.worker_of_stream, (std::vector<std::uint8_t>{1, 1, 0, 1}));
}

TEST(PlacementTest, load_is_even_among_equal_streams) {
  Spec spec;
  spec.ports.resize(2);
  spec.streams.assign(100, stream(500, {0, 1}));
  const Placement placed = place(spec, 4);
  std::array<unsigned, 4> streams{};
  for (const std::uint8_t worker : placed.worker_of_stream) ++streams.at(worker);
  EXPECT_EQ(streams, (std::array<unsigned, 4>{25, 25, 25, 25}));
}

TEST(PlacementTest, legs_and_outputs_weigh_as_much_as_the_rate) {
  Spec spec;
  spec.ports.resize(3);
  // In and out: 8000 packets a second, 6000, 8000 again for its seven outputs, 2000.
  spec.streams = {stream(4000, {0}), stream(2000, {0, 1}), stream(1000, {0})};
  spec.streams.push_back(stream(1000, {0}));
  spec.streams[2].outputs.resize(7);
  const Placement placed = place(spec, 2);
  EXPECT_EQ(placed.worker_of_stream, (std::vector<std::uint8_t>{0, 0, 1, 1}));
}

TEST(PlacementTest, port_belongs_to_the_worker_of_the_highest_rate_not_of_the_most_streams) {
  Spec spec;
  spec.ports.resize(2);
  spec.streams = {stream(1000, {0, 1}), stream(350, {0, 1}), stream(350, {0, 1})};
  const Placement placed = place(spec, 2);
  ASSERT_EQ(placed.worker_of_stream, (std::vector<std::uint8_t>{0, 1, 1}));
  EXPECT_EQ(placed.owner_of_port, (std::vector<std::uint8_t>{0, 0}));
}

TEST(PlacementTest, port_is_polled_by_the_worker_that_takes_most_from_it) {
  Spec spec;
  spec.ports.resize(4);
  spec.streams = {stream(1000, {0}), stream(900, {1, 2}), stream(10, {0, 1})};
  const Placement placed = place(spec, 2);
  const std::uint8_t of_first = placed.worker_of_stream[0];
  const std::uint8_t of_second = placed.worker_of_stream[1];
  ASSERT_NE(of_first, of_second);
  EXPECT_EQ(placed.owner_of_port[0], of_first);
  EXPECT_EQ(placed.owner_of_port[1], of_second);
  EXPECT_EQ(placed.owner_of_port[2], of_second);
  EXPECT_LT(placed.owner_of_port[3], 2u) << "a port without legs has an owner, too";
}

// A stream as above whose clients `workers` are to serve.
StreamSpec split(std::uint64_t pps, unsigned workers) {
  StreamSpec made = stream(pps, {0});
  made.name = "split" + std::to_string(pps);
  made.unicasts.push_back({.name = "homes", .fan_workers = workers});
  return made;
}

TEST(PlacementTest, parts_of_clients_go_to_the_other_workers_with_the_least) {
  Spec spec;
  spec.ports.resize(1);
  spec.streams = {stream(1000, {0}), split(800, 3), stream(600, {0}), stream(10, {0})};
  const Placement placed = place(spec, 4);
  ASSERT_EQ(placed.worker_of_stream, (std::vector<std::uint8_t>{0, 1, 2, 3}));
  EXPECT_EQ(placed.helpers_of_stream, (std::vector<FanHelpers>{{}, {3, 2}, {}, {}}));
  EXPECT_EQ(placed.worker_of_part(1, 0), 1u);
  EXPECT_EQ(placed.worker_of_part(1, 2), 2u);
}

TEST(PlacementTest, parts_stay_where_they_are_when_other_streams_come_and_go) {
  Spec before;
  before.ports.resize(1);
  before.streams = {split(1000, 3), stream(900, {0}), split(10, 2)};
  Placement placed = place(before, 4);
  const Placement was = placed;
  Spec after = before;
  after.streams[0].outputs.clear();  // changed, but it is there
  after.streams[1] = {};
  after.streams[2] = {};
  after.streams.push_back(split(5000, 4));
  place_new_streams(before, after, 4, placed);
  EXPECT_EQ(placed.helpers_of_stream[0], was.helpers_of_stream[0]);
  EXPECT_EQ(placed.helpers_of_stream[2], FanHelpers{});
  EXPECT_EQ(placed.helpers_of_stream[3].size(), 3u);
  EXPECT_EQ(std::ranges::count(placed.helpers_of_stream[3], placed.worker_of_stream[3]), 0);
}

}  // namespace
}  // namespace castgate
