// SPDX-License-Identifier: Apache-2.0
// Neighbours and routes: what rtnetlink's bytes say of them.
#include <array>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "controlplane/slow_path/neighbour_messages.h"
#include "controlplane/slow_path/netlink.h"
#include "controlplane/slow_path/route_messages.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;
using enum NeighbourOrder;

const MacAddress kMac{{2, 0, 0, 0, 9, 7}};

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

// Bytes as the kernel lays them out: taken from linux/netlink.h by hand, not by our own builder.
class Message {
 public:
  Message(std::uint16_t type, Bytes fixed) : type_(type), body_(std::move(fixed)) {}
  Message& attribute(std::uint16_t type, const Bytes& value) {
    const auto length = static_cast<std::uint16_t>(4 + value.size());
    for (const std::uint16_t half : {length, type}) {
      body_.push_back(static_cast<std::byte>(half & 0xff));
      body_.push_back(static_cast<std::byte>(half >> 8));
    }
    body_.insert(body_.end(), value.begin(), value.end());
    while (body_.size() % 4 != 0) body_.push_back({});
    return *this;
  }
  Bytes bytes() const {
    Bytes all(16);
    const auto length = static_cast<std::uint32_t>(16 + body_.size());
    for (unsigned i = 0; i < 4; ++i) all[i] = static_cast<std::byte>(length >> 8 * i);
    all[4] = static_cast<std::byte>(type_ & 0xff);
    all.insert(all.end(), body_.begin(), body_.end());
    return all;
  }

 private:
  std::uint16_t type_;
  Bytes body_;
};

constexpr std::uint16_t kNew = 28;
constexpr std::uint16_t kDeleted = 29;
constexpr std::uint16_t kError = 2;

Bytes bytes_of(std::initializer_list<unsigned> values) {
  Bytes made;
  for (const unsigned value : values) made.push_back(static_cast<std::byte>(value));
  return made;
}

Bytes fixed_of(unsigned family, unsigned interface, unsigned state, unsigned flags = 0) {
  return bytes_of({family, 0, 0, 0, interface, 0, 0, 0, state, 0, flags, 1});
}

const Bytes kAddress = bytes_of({10, 9, 0, 7});
const Bytes kMacBytes = bytes_of({2, 0, 0, 0, 9, 7});

Message neighbour(unsigned state, std::uint16_t type = kNew) {
  Message made(type, fixed_of(AF_INET, 5, state));
  made.attribute(NDA_DST, kAddress).attribute(NDA_LLADDR, kMacBytes);
  return made;
}

TEST(NeighbourMessagesTest, neighbour_of_each_family_is_read) {
  Bytes datagram = neighbour(NUD_REACHABLE).bytes();
  Bytes v6(16);
  v6[0] = std::byte{0x20};
  v6[1] = std::byte{0x01};
  v6[15] = std::byte{9};
  Message six(kNew, fixed_of(AF_INET6, 6, NUD_DELAY));
  six.attribute(NDA_CACHEINFO, Bytes(16)).attribute(NDA_DST, v6).attribute(NDA_LLADDR, kMacBytes);
  const Bytes more = six.bytes();
  datagram.insert(datagram.end(), more.begin(), more.end());
  const auto read = read_neighbours(datagram);
  ASSERT_EQ(read.news.size(), 2u);
  EXPECT_FALSE(read.cut);
  EXPECT_EQ(read.news[0].key, (NeighbourKey{5, ip("10.9.0.7")}));
  EXPECT_EQ(read.news[0].state, NeighbourState::Reachable);
  EXPECT_EQ(read.news[0].mac, kMac);
  EXPECT_EQ(read.news[1].key, (NeighbourKey{6, ip("2001::9")}));
  EXPECT_EQ(read.news[1].state, NeighbourState::Stale);
}

TEST(NeighbourMessagesTest, states_of_the_kernel_become_ours) {
  const auto state = [](unsigned bits, std::uint16_t type = kNew) {
    const auto read = read_neighbours(neighbour(bits, type).bytes());
    return read.news.empty() ? std::optional<NeighbourState>() : read.news[0].state;
  };
  EXPECT_EQ(state(NUD_INCOMPLETE), NeighbourState::Incomplete);
  EXPECT_EQ(state(NUD_STALE), NeighbourState::Stale);
  EXPECT_EQ(state(NUD_PROBE), NeighbourState::Stale);
  EXPECT_EQ(state(NUD_FAILED), NeighbourState::Failed);
  EXPECT_EQ(state(NUD_PERMANENT), NeighbourState::Fixed);
  EXPECT_EQ(state(NUD_NOARP), NeighbourState::Fixed);
  EXPECT_EQ(state(NUD_NONE), NeighbourState::Gone);
  EXPECT_EQ(state(NUD_REACHABLE, kDeleted), NeighbourState::Gone);
  EXPECT_FALSE(read_neighbours(neighbour(NUD_FAILED).bytes()).news[0].mac);
}

TEST(NeighbourMessagesTest, what_is_no_neighbour_on_ethernet_is_passed_over) {
  const auto none = [](const Message& message) {
    return read_neighbours(message.bytes()).news.empty();
  };
  Message proxy(kNew, fixed_of(AF_INET, 5, NUD_REACHABLE, NTF_PROXY));
  EXPECT_TRUE(none(proxy.attribute(NDA_DST, kAddress).attribute(NDA_LLADDR, kMacBytes)));
  Message other_family(kNew, fixed_of(AF_INET6, 5, NUD_REACHABLE));
  EXPECT_TRUE(none(other_family.attribute(NDA_DST, kAddress).attribute(NDA_LLADDR, kMacBytes)));
  Message bridge(kNew, fixed_of(7, 5, NUD_REACHABLE));
  EXPECT_TRUE(none(bridge.attribute(NDA_LLADDR, kMacBytes)));
  Message infiniband(kNew, fixed_of(AF_INET, 5, NUD_REACHABLE));
  EXPECT_TRUE(none(infiniband.attribute(NDA_DST, kAddress).attribute(NDA_LLADDR, Bytes(20))));
  Message group(kNew, fixed_of(AF_INET, 5, NUD_REACHABLE));
  EXPECT_TRUE(
      none(group.attribute(NDA_DST, kAddress).attribute(NDA_LLADDR, Bytes(6, std::byte{1}))));
  Message nameless(kNew, fixed_of(AF_INET, 5, NUD_REACHABLE));
  EXPECT_TRUE(none(nameless.attribute(NDA_LLADDR, kMacBytes)));
  Message no_interface(kNew, fixed_of(AF_INET, 0, NUD_REACHABLE));
  EXPECT_TRUE(none(no_interface.attribute(NDA_DST, kAddress).attribute(NDA_LLADDR, kMacBytes)));
  EXPECT_TRUE(none(Message(16, Bytes(16))));  // a link
}

TEST(NeighbourMessagesTest, errors_are_told_and_agreement_is_none) {
  EXPECT_EQ(read_neighbours(Message(kError, bytes_of({0x97, 0xff, 0xff, 0xff})).bytes()).errors,
            std::vector<int>{105});
  EXPECT_TRUE(read_neighbours(Message(kError, Bytes(4)).bytes()).errors.empty());
  EXPECT_TRUE(read_neighbours(Message(kError, Bytes(3)).bytes()).errors.empty());
}

TEST(NeighbourMessagesTest, cut_and_damaged_messages_harm_nobody) {
  const Bytes whole = neighbour(NUD_REACHABLE).bytes();
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const auto read = read_neighbours(std::span(whole).first(length));
    EXPECT_TRUE(read.cut && read.news.empty()) << length;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned value : {0u, 1u, 3u, 0x7fu, 0xffu}) {
      Bytes damaged = whole;
      damaged[at] = static_cast<std::byte>(value);
      EXPECT_LE(read_neighbours(damaged).news.size(), 1u);
    }
  }
  Bytes none = whole;
  none[0] = std::byte{15};  // shorter than its own header: it would never end
  EXPECT_TRUE(read_neighbours(none).cut);
  Bytes endless = whole;
  endless[28] = std::byte{3};  // an attribute shorter than its own head
  EXPECT_TRUE(read_neighbours(endless).news.empty());
}

TEST(NeighbourMessagesTest, router_of_a_route_is_read) {
  Message route(24, Bytes(12));
  route.attribute(4, bytes_of({5, 0, 0, 0})).attribute(5, bytes_of({10, 9, 0, 1}));
  EXPECT_EQ(gateway_in(route.bytes()), ip("10.9.0.1"));
  EXPECT_FALSE(gateway_in(Message(24, Bytes(12)).attribute(1, bytes_of({10, 9, 0, 1})).bytes()));
  EXPECT_FALSE(gateway_in(Message(kError, bytes_of({0x9b, 0xff, 0xff, 0xff})).bytes()));
  const Bytes whole = route.bytes();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(gateway_in(std::span(whole).first(length))) << length;
}

// rtmsg: family, length of the destination, of the source, TOS, table, protocol, scope, type,
// flags.
TEST(RouteMessagesTest, route_that_comes_or_goes_is_told_by_its_prefix) {
  for (const std::uint16_t type : std::to_array<std::uint16_t>({24, 25})) {
    Message four(type, bytes_of({AF_INET, 24, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0}));
    four.attribute(1, bytes_of({192, 0, 2, 0})).attribute(5, bytes_of({10, 9, 0, 1}));
    const RouteNews news = read_routes(four.bytes());
    EXPECT_EQ(news.to, (std::vector<IpPrefix>{{ip("192.0.2.0"), 24}}));
    EXPECT_FALSE(news.any);
    Message six(type, bytes_of({AF_INET6, 32, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0}));
    six.attribute(1, bytes_of({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(read_routes(six.bytes()).to, (std::vector<IpPrefix>{{ip("2001:db8::"), 32}}));
  }
}

TEST(RouteMessagesTest, default_route_is_of_everybody_of_its_version) {
  const auto four =
      read_routes(Message(24, bytes_of({AF_INET, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0})).bytes());
  ASSERT_EQ(four.to.size(), 1u);
  EXPECT_TRUE(four.to[0].contains(ip("203.0.113.1")));
  EXPECT_FALSE(four.to[0].contains(ip("2001:db8::1")));
  const auto six =
      read_routes(Message(24, bytes_of({AF_INET6, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0})).bytes());
  ASSERT_EQ(six.to.size(), 1u);
  EXPECT_TRUE(six.to[0].contains(ip("2001:db8::1")));
}

TEST(RouteMessagesTest, links_addresses_rules_and_next_hops_may_concern_everybody) {
  for (const std::uint16_t type : std::to_array<std::uint16_t>({16, 17, 20, 21, 32, 33, 104, 105}))
    EXPECT_TRUE(read_routes(Message(type, Bytes(16)).bytes()).any) << type;
  for (const std::uint16_t type : std::to_array<std::uint16_t>({2, 3, 28, 29, 36}))
    EXPECT_FALSE(read_routes(Message(type, Bytes(16)).bytes()).any) << type;
}

TEST(RouteMessagesTest, what_is_no_route_of_packets_that_leave_is_passed_over) {
  const auto passed_over = [](std::initializer_list<unsigned> fixed) {
    const RouteNews news = read_routes(Message(24, bytes_of(fixed)).bytes());
    return news.to.empty() && !news.any;
  };
  EXPECT_TRUE(passed_over({AF_INET, 32, 0, 0, 255, 2, 254, 2, 0, 0, 0, 0})) << "table local";
  EXPECT_TRUE(passed_over({AF_INET6, 128, 0, 0, 254, 2, 0, 1, 0, 2, 0, 0})) << "cloned";
  EXPECT_TRUE(passed_over({AF_INET, 33, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0})) << "no such prefix";
  EXPECT_TRUE(passed_over({28, 20, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0})) << "MPLS";
}

TEST(RouteMessagesTest, datagram_that_was_cut_may_have_told_of_anybody) {
  Message route(24, bytes_of({AF_INET, 24, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0}));
  const Bytes whole = route.attribute(1, bytes_of({192, 0, 2, 0})).bytes();
  for (std::size_t length = 1; length < whole.size(); ++length)
    EXPECT_TRUE(read_routes(std::span(whole).first(length)).any) << length;
  EXPECT_FALSE(read_routes({}).any);
}

TEST(NeighbourRequests, are_what_the_kernel_expects) {
  NetlinkRequest probe = neighbour_request({5, ip("10.9.0.7")}, Probe);
  const Bytes expected = bytes_of({36, 0, 0, 0, 28, 0, 1, 1, 0,    0, 0, 0, 0, 0, 0, 0,  //
                                   2,  0, 0, 0, 5,  0, 0, 0, 0x10, 0, 0, 0,              //
                                   8,  0, 1, 0, 10, 9, 0, 7});
  EXPECT_TRUE(std::ranges::equal(probe.bytes(), expected));
  NetlinkRequest resolve = neighbour_request({5, ip("2001:db8::7")}, Resolve);
  EXPECT_EQ(resolve.bytes().size(), 48u);
  EXPECT_EQ(resolve.bytes()[26], std::byte{NTF_USE});
  EXPECT_EQ(resolve.header().nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
}

}  // namespace
}  // namespace castgate
