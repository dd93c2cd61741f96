// SPDX-License-Identifier: Apache-2.0
// What a driver puts on the wire, judged byte by byte from the wire's other end, and the way back.
//   ports_bytes_test DEVICE JUDGE
// DEVICE is a port's device string. JUDGE: the interface at the other end, read by AF_PACKET; or
// `self` for a driver that returns what it is given; or the device string of a second port.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include <rte_mbuf.h>

#include "dataplane/base/device_string.h"
#include "drivers/ethdev_port.h"
#include "tests/support/wire_judge.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using test::Bytes;
using test::Frames;
using test::Judge;
using test::KernelJudge;
using test::pattern;
using test::PortJudge;

std::string g_device;
std::string g_judge;

constexpr std::size_t kHeader = 42;  // Ethernet, IPv4 and UDP: what replicate writes per output
constexpr std::uint8_t kOurs = 0xb5;

// A frame of IEEE's type for local experiments, so that nothing else on the wire is taken for it.
Bytes frame(std::size_t length, unsigned seed, std::uint16_t vlan = 0) {
  Bytes bytes = pattern(length, seed);
  Bytes head{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa};
  if (vlan != 0) {
    const Bytes tag{0x81, 0, static_cast<std::uint8_t>(vlan >> 8), static_cast<std::uint8_t>(vlan)};
    head.insert(head.end(), tag.begin(), tag.end());
  }
  head.push_back(0x88);
  head.push_back(kOurs);
  std::ranges::copy(head, bytes.begin());
  return bytes;
}

bool is_ours(const Bytes& bytes) {
  const std::size_t type = bytes.size() > 16 && bytes[12] == 0x81 ? 16 : 12;
  return bytes.size() > type + 1 && bytes[type] == 0x88 && bytes[type + 1] == kOurs;
}

class PortsBytes : public test::DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    port_ = open("port", g_device, pool());
    ASSERT_NE(port_, nullptr);
    if (g_judge == "self") {
      judge_ = std::make_unique<PortJudge>(*port_, pool());
    } else if (g_judge.starts_with("net_")) {
      other_ = open("other", g_judge, pool());
      ASSERT_NE(other_, nullptr);
      judge_ = std::make_unique<PortJudge>(*other_, pool());
    } else {
      judge_ = std::make_unique<KernelJudge>(g_judge);
    }
    for (unsigned turn = 0; turn < 200 && !link_is(true); ++turn) turn_over();
    ASSERT_TRUE(port_->link_up()) << "no link on " << g_device;
    judge_->arrived();
  }
  void TearDown() override {
    judge_.reset();
    other_.reset();
    port_.reset();
    DriverTest::TearDown();
  }

  static std::unique_ptr<EthdevPort> open(const char* name, const std::string& device,
                                          rte_mempool* pool) {
    EthdevOptions options;
    options.name = name;
    options.device = device;
    options.rx_pools = {pool};
    auto port = EthdevPort::open(options);
    if (port) return std::move(*port);
    ADD_FAILURE() << port.error().text;
    return nullptr;
  }

  bool link_is(bool up) {
    port_->refresh();
    if (other_) other_->refresh();
    return port_->link_up() == up && (!other_ || other_->link_up() == up);
  }
  // A driver that does nothing by itself needs to be called: memif connects, af_xdp completes.
  void turn_over() {
    judge_->arrived();
    std::this_thread::sleep_for(5ms);
  }

  void send(std::vector<rte_mbuf*> packets) {
    std::span<rte_mbuf* const> left(packets);
    for (unsigned turn = 0; turn < 100 && !left.empty(); ++turn) {
      left = left.subspan(port_->transmit(0, left));
      if (!left.empty()) std::this_thread::sleep_for(1ms);
    }
    EXPECT_TRUE(left.empty()) << left.size() << " packets were refused";
  }
  Frames await(std::size_t count) {
    Frames frames;
    for (unsigned turn = 0; turn < 200 && frames.size() < count; ++turn) {
      for (auto& bytes : judge_->arrived()) {
        if (is_ours(bytes)) frames.push_back(std::move(bytes));
      }
      if (frames.size() < count) std::this_thread::sleep_for(5ms);
    }
    return frames;
  }
  // Which of `known` they are, in order of arrival; -1 for bytes that nobody sent.
  static std::vector<long> numbers_of(const Frames& frames, const Frames& known) {
    std::vector<long> numbers;
    for (const auto& bytes : frames) {
      const auto at = std::ranges::find(known, bytes);
      numbers.push_back(at == known.end() ? -1 : at - known.begin());
    }
    return numbers;
  }
  rte_mbuf* as_chain(const Bytes& bytes) {
    const Bytes header(bytes.begin(), bytes.begin() + kHeader);
    const Bytes payload(bytes.begin() + kHeader, bytes.end());
    return test::chain(pool(), header, test::one_segment(pool(), payload));
  }

  std::unique_ptr<EthdevPort> port_;
  std::unique_ptr<EthdevPort> other_;
  std::unique_ptr<Judge> judge_;
};

TEST_F(PortsBytes, single_segment_arrives_as_it_was_sent) {
  send({test::one_segment(pool(), frame(60, 1)), test::one_segment(pool(), frame(1514, 2))});
  EXPECT_EQ(await(2), (Frames{frame(60, 1), frame(1514, 2)}));
}

TEST_F(PortsBytes, header_chained_before_payload_arrives_as_one_frame) {
  send({as_chain(frame(600, 3)), as_chain(frame(1442, 4))});
  EXPECT_EQ(await(2), (Frames{frame(600, 3), frame(1442, 4)}));
}

TEST_F(PortsBytes, payload_shared_by_two_frames_arrives_in_both) {
  const Bytes payload = pattern(1400, 5);
  rte_mbuf* shared = test::one_segment(pool(), payload);
  rte_mbuf_refcnt_update(shared, 1);
  Frames expected{frame(kHeader, 6), frame(kHeader, 7)};
  send({test::chain(pool(), expected[0], shared), test::chain(pool(), expected[1], shared)});
  for (auto& bytes : expected) bytes.insert(bytes.end(), payload.begin(), payload.end());
  EXPECT_EQ(await(2), expected);
}

TEST_F(PortsBytes, clone_of_a_packet_arrives_with_its_bytes) {
  rte_mbuf* packet = test::one_segment(pool(), frame(500, 8));
  send({rte_pktmbuf_clone(packet, pool()), packet});
  EXPECT_EQ(await(2), (Frames{frame(500, 8), frame(500, 8)}));
}

TEST_F(PortsBytes, vlan_tag_arrives_in_its_place) {
  send({test::one_segment(pool(), frame(200, 9, 43)), as_chain(frame(900, 10, 43))});
  EXPECT_EQ(await(2), (Frames{frame(200, 9, 43), frame(900, 10, 43)}));
}

TEST_F(PortsBytes, mixed_burst_keeps_its_order) {
  std::vector<rte_mbuf*> packets;
  Frames expected;
  for (unsigned i = 0; i < 200; ++i) {
    expected.push_back(frame(100 + 5 * i, i));
    packets.push_back(i % 3 == 0 ? as_chain(expected.back())
                                 : test::one_segment(pool(), expected.back()));
  }
  for (std::size_t at = 0; at < packets.size(); at += 40) {
    send({packets.begin() + static_cast<std::ptrdiff_t>(at),
          packets.begin() + static_cast<std::ptrdiff_t>(at) + 40});
  }
  const Frames arrived = await(expected.size());
  EXPECT_EQ(numbers_of(arrived, expected), numbers_of(expected, expected));
}

TEST_F(PortsBytes, frames_from_the_wire_are_received_with_their_tag) {
  const Frames sent{frame(64, 11), frame(1514, 12), frame(300, 13, 43)};
  for (const auto& bytes : sent) ASSERT_TRUE(judge_->send(bytes));
  Frames received;
  PortJudge reader(*port_, pool());
  for (unsigned turn = 0; turn < 200 && received.size() < sent.size(); ++turn) {
    for (auto& bytes : reader.arrived()) {
      if (is_ours(bytes)) received.push_back(std::move(bytes));
    }
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(received, sent);
}

TEST_F(PortsBytes, empty_pool_is_counted_and_recovers_by_itself) {
  if (g_judge == "self" || g_judge.starts_with("net_") || g_device.starts_with("net_af_xdp")) {
    GTEST_SKIP() << "the judge needs the pool, or the port has one of its own";
  }
  std::vector<rte_mbuf*> all;
  while (rte_mbuf* packet = rte_pktmbuf_alloc(pool())) all.push_back(packet);
  for (unsigned i = 0; i < 10; ++i) ASSERT_TRUE(judge_->send(frame(100, i)));
  std::array<rte_mbuf*, 32> burst;
  for (unsigned turn = 0; turn < 1'000'000; ++turn) ASSERT_EQ(port_->receive(0, burst), 0u);
  EXPECT_EQ(port_->stats().pool_empty, 1u);
  for (rte_mbuf* packet : all) rte_pktmbuf_free(packet);
  PortJudge reader(*port_, pool());
  Frames received;
  for (unsigned turn = 0; turn < 200 && received.empty(); ++turn) {
    ASSERT_TRUE(judge_->send(frame(300, 99)));
    std::this_thread::sleep_for(1ms);
    for (auto& bytes : reader.arrived()) {
      if (bytes == frame(300, 99)) received.push_back(std::move(bytes));
    }
  }
  EXPECT_FALSE(received.empty());
}

TEST_F(PortsBytes, nothing_is_sent_while_the_link_is_down_and_no_call_blocks) {
  const std::string interface = kernel_interface(g_device);
  if (interface.empty()) GTEST_SKIP() << "no interface of the kernel's to set down";
  const auto set = [&](const char* state) {
    const std::string command = "ip link set " + interface + " " + state;
    ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
  };
  set("down");
  for (unsigned turn = 0; turn < 200 && !link_is(false); ++turn) std::this_thread::sleep_for(5ms);
  ASSERT_FALSE(port_->link_up());
  rte_mbuf* packet = test::one_segment(pool(), frame(100, 14));
  for (unsigned turn = 0; turn < 5000; ++turn) EXPECT_EQ(port_->transmit(0, {&packet, 1}), 0u);
  set("up");
  for (unsigned turn = 0; turn < 200 && !link_is(true); ++turn) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(port_->stats().link_flaps, 2u);
  judge_->arrived();
  // net_af_packet's socket still reports the link that was lost: its first frame waits in the ring
  // for the second one.
  send({packet});
  send({test::one_segment(pool(), frame(100, 15))});
  EXPECT_EQ(await(2), (Frames{frame(100, 14), frame(100, 15)}));
}

TEST_F(PortsBytes, facts_tell_chains_kernel_interface_and_reception) {
  const auto& facts = port_->facts();
  const bool linearises = g_device.starts_with("net_af_xdp") || g_device.starts_with("net_null");
  EXPECT_EQ(facts.multi_segment_tx, !linearises);
  EXPECT_EQ(facts.on_kernel_interface, g_device.starts_with("net_af_packet"));
  EXPECT_EQ(facts.driver, g_device.substr(0, facts.driver.size()));
  rte_mempool* own = port_->transmit_pool();
  EXPECT_EQ(own != nullptr, g_device.starts_with("net_af_xdp"));
  send({test::one_segment(own == nullptr ? pool() : own, frame(200, 16))});
  EXPECT_EQ(await(1), Frames{frame(200, 16)});
  send({as_chain(frame(600, 15))});
  EXPECT_EQ(await(1).size(), 1u);
  EXPECT_EQ(port_->stats().tx_linearised, linearises ? 1u : 0u);
  std::cout << facts.driver << ": reception " << facts.reception << ", chains "
            << (linearises ? "linearised" : "sent as they are") << "\n";
}

}  // namespace
}  // namespace castgate

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  if (count != 3) {
    std::cerr << "ports_bytes_test DEVICE JUDGE\n";
    return 2;
  }
  castgate::g_device = arguments[1];
  castgate::g_judge = arguments[2];
  return RUN_ALL_TESTS();
}
