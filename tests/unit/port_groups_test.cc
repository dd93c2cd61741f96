// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_groups.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace castgate {
namespace {

std::vector<std::string> groups(const Spec& spec, unsigned port) {
  std::vector<std::string> names;
  for (const MacAddress& group : groups_of_port(spec, port)) names.push_back(group.to_string());
  std::ranges::sort(names);
  return names;
}

TEST(PortGroupsTest, port_without_legs_hears_queries_and_neighbours) {
  Spec spec;
  spec.ports.resize(1);
  spec.ports[0].networks[0].addresses = {*IpPrefix::parse("10.0.0.2/24"),
                                         *IpPrefix::parse("2001:db8::12ab:cdef/64")};
  EXPECT_EQ(groups(spec, 0), (std::vector<std::string>{"01:00:5e:00:00:01", "33:33:00:00:00:01",
                                                       "33:33:ff:ab:cd:ef"}));
}

TEST(PortGroupsTest, groups_of_its_legs_are_there_once) {
  Spec spec;
  spec.ports.resize(2);
  StreamSpec& stream = spec.streams.emplace_back();
  const auto leg = [](const char* to, unsigned port) {
    return LegSpec{"L", port, {}, {}, *Endpoint::parse(to)};
  };
  stream.legs = {leg("239.1.2.3:5000", 0), leg("239.129.2.3:5001", 0), leg("[ff3e::1:2]:5000", 0),
                 leg("10.0.0.7:5000", 0), leg("239.7.7.7:5000", 1)};
  EXPECT_EQ(groups(spec, 0), (std::vector<std::string>{"01:00:5e:00:00:01", "01:00:5e:01:02:03",
                                                       "33:33:00:00:00:01", "33:33:00:01:00:02"}));
}

}  // namespace
}  // namespace castgate
