// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "drivers/ethdev_port.h"
#include "tests/support/quiet_eal.h"

namespace castgate {
namespace {

using test::Bytes;
using test::pattern;

class EthdevTest : public test::DriverTest {
 protected:
  EthdevOptions options(const std::string& device) const {
    EthdevOptions wanted;
    wanted.name = "red";
    wanted.device = device;
    wanted.rx_pools = {pool()};
    return wanted;
  }
};

// What is sent comes back: the driver's one ring is both directions.
TEST_F(EthdevTest, net_ring_returns_single_and_chained_packets_as_they_were) {
  auto port = EthdevPort::open(options("net_ring0"));
  ASSERT_TRUE(port) << port.error().text;
  EXPECT_EQ((*port)->facts().driver, "net_ring");
  EXPECT_TRUE((*port)->facts().multi_segment_tx);
  EXPECT_FALSE((*port)->facts().on_kernel_interface);
  Bytes whole = pattern(42, 1);
  const Bytes payload = pattern(1400, 2);
  rte_mbuf* shared = test::one_segment(pool(), payload);
  rte_mbuf_refcnt_update(shared, 1);
  std::array<rte_mbuf*, 3> out{test::chain(pool(), whole, shared),
                               test::chain(pool(), whole, shared),
                               test::one_segment(pool(), pattern(60, 3))};
  EXPECT_EQ((*port)->transmit(0, out), 3u);
  std::array<rte_mbuf*, 32> in{};
  ASSERT_EQ((*port)->receive(0, in), 3u);
  whole.insert(whole.end(), payload.begin(), payload.end());
  EXPECT_EQ(test::bytes_of(in[0]), whole);
  EXPECT_EQ(test::bytes_of(in[1]), whole);
  EXPECT_EQ(test::bytes_of(in[2]), pattern(60, 3));
  rte_pktmbuf_free_bulk(in.data(), 3);
  EXPECT_EQ((*port)->stats().tx_packets, 3u);
  EXPECT_EQ((*port)->stats().rx_packets, 3u);
}

TEST_F(EthdevTest, chain_leaves_net_null_linearised_and_nothing_leaks) {
  auto port = EthdevPort::open(options("net_null0,copy=1"));
  ASSERT_TRUE(port) << port.error().text;
  EXPECT_FALSE((*port)->facts().multi_segment_tx);
  std::array<rte_mbuf*, 40> out{};
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = test::one_segment(pool(), pattern(200));
    if (i % 2 == 0) out[i] = test::chain(pool(), pattern(42), out[i]);
  }
  EXPECT_EQ((*port)->transmit(0, out), out.size());
  EXPECT_EQ((*port)->stats().tx_linearised, out.size() / 2);
  std::array<rte_mbuf*, 32> in{};
  const unsigned received = (*port)->receive(0, in);
  rte_pktmbuf_free_bulk(in.data(), received);
}

// A ring with room for three: the driver refuses the rest of a burst.
TEST_F(EthdevTest, what_the_driver_refuses_stays_the_callers) {
  constexpr unsigned kOneToOne = RING_F_SP_ENQ | RING_F_SC_DEQ;
  rte_ring* ring = rte_ring_create("refuse", 4, SOCKET_ID_ANY, kOneToOne);
  const int id =
      rte_eth_from_rings("refuse", &ring, 1, &ring, 1, static_cast<unsigned>(SOCKET_ID_ANY));
  ASSERT_GE(id, 0);
  {
    auto port = EthdevPort::adopt(static_cast<std::uint16_t>(id), options("net_ring_refuse"));
    ASSERT_TRUE(port) << port.error().text;
    std::array<rte_mbuf*, 8> out{};
    for (auto& packet : out) packet = test::one_segment(pool(), pattern(100));
    EXPECT_EQ((*port)->transmit(0, out), 3u);
    EXPECT_EQ(pool_->in_use(), out.size());
    rte_pktmbuf_free_bulk(out.data() + 3, 5);
    std::array<rte_mbuf*, 8> in{};
    ASSERT_EQ((*port)->receive(0, in), 3u);
    EXPECT_EQ(in[2], out[2]);
    rte_pktmbuf_free_bulk(in.data(), 3);
  }
  rte_ring_free(ring);
}

TEST_F(EthdevTest, port_can_be_opened_again_after_it_was_closed) {
  for (unsigned i = 0; i < 3; ++i) {
    auto port = EthdevPort::open(options("net_ring0"));
    ASSERT_TRUE(port) << port.error().text;
    EXPECT_EQ(rte_eth_dev_count_avail(), 1u);
  }
  EXPECT_EQ(rte_eth_dev_count_avail(), 0u);
}

TEST_F(EthdevTest, own_mac_of_the_operator_is_the_ports) {
  auto wanted = options("net_null1");
  wanted.mac = MacAddress::parse("02:00:00:00:00:03");
  auto port = EthdevPort::open(wanted);
  ASSERT_TRUE(port) << port.error().text;
  EXPECT_EQ((*port)->facts().mac, *wanted.mac);
  EXPECT_FALSE((*port)->facts().reception.empty());
}

TEST_F(EthdevTest, missing_interface_is_refused_by_name) {
  const auto port = EthdevPort::open(options("net_af_packet0,iface=nosuch0"));
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().text.find("port red: no interface nosuch0"), std::string::npos)
      << port.error().text;
}

TEST_F(EthdevTest, unknown_driver_is_refused_without_noise) {
  testing::internal::CaptureStderr();
  const auto port = EthdevPort::open(options("net_nonsense0"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().text.find("net_nonsense0"), std::string::npos) << port.error().text;
}

TEST_F(EthdevTest, pci_address_without_a_device_is_refused) {
  const auto port = EthdevPort::open(options("0000:ff:1f.7"));
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().text.find("no such PCI device"), std::string::npos);
}

}  // namespace
}  // namespace castgate
