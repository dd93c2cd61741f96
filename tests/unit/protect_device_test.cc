// SPDX-License-Identifier: Apache-2.0
// Packets that a crypto device encrypts: DPDK's own, whose bytes must be those of the worker, and
// one that is slow, full, out of order or at fault.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>
#include <rte_mempool.h>

#include "drivers/crypto_device.h"
#include "tests/support/fake_crypto_queue.h"
#include "tests/support/protect_lab.h"

namespace castgate::test {
namespace {

class ProtectDeviceTest : public ProtectLab {
 protected:
  ProtectDeviceTest() {
    protect() = protect_of(ProtectProfile::SrtpGcm);
    protect().backend = ProtectBackend::Cryptodev;
  }
  void make_on(CryptoQueue& queue) {
    stage_ = make_protect_stage(4, &queue);
    stage_->connect(sink_, pool());
    Renditions renditions = make_renditions(spliced(), stage_->ciphers(), &queue);
    stage_->install(0, renditions);
  }
  void offer_many(unsigned count) {
    for (unsigned i = 0; i < count; ++i, ++offered_)
      offer(rtp_packet(offered_, 0, kOwn, pattern(60, offered_)));
  }
  std::vector<unsigned> left() const {
    std::vector<unsigned> numbers;
    numbers.reserve(sink_.frames.size());
    for (const Bytes& frame : sink_.frames) numbers.push_back(get16(frame, kPayload + 2));
    return numbers;
  }
  unsigned offered_ = 0;
};

TEST_F(ProtectDeviceTest, packets_leave_in_their_order_whatever_the_devices_is) {
  FakeCryptoQueue queue;
  make_on(queue);
  offer_many(200);
  EXPECT_TRUE(sink_.frames.empty());
  EXPECT_EQ(stage_->held(), 200u);
  queue.finish(150);
  stage_->work();
  EXPECT_TRUE(sink_.frames.empty());  // the first one is not done
  std::mt19937 random(3);
  while (!queue.under_way.empty()) {
    queue.finish(random() % queue.under_way.size());
    stage_->work();
  }
  std::vector<unsigned> expected(200);
  for (unsigned i = 0; i < 200; ++i) expected[i] = i;
  EXPECT_EQ(left(), expected);
  EXPECT_EQ(stage_->held(), 0u);
}

TEST_F(ProtectDeviceTest, what_the_device_could_not_encrypt_does_not_leave) {
  FakeCryptoQueue queue;
  make_on(queue);
  offer_many(10);
  queue.finish(4, RTE_CRYPTO_OP_STATUS_ERROR);
  queue.finish(7, RTE_CRYPTO_OP_STATUS_AUTH_FAILED);
  queue.finish_all();
  stage_->work();
  EXPECT_EQ(left(), (std::vector<unsigned>{0, 1, 2, 3, 5, 6, 7, 9}));
  EXPECT_EQ(dropped(DropReason::CryptoError), 2u);
}

TEST_F(ProtectDeviceTest, a_device_that_takes_no_more_gets_the_rest_later_in_order) {
  FakeCryptoQueue queue;
  queue.depth = 3;
  make_on(queue);
  offer_many(100);
  EXPECT_EQ(queue.under_way.size(), 3u);
  while (stage_->held() != 0) {
    queue.finish_all();
    stage_->work();
  }
  EXPECT_EQ(sink_.frames.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(left()));
  EXPECT_EQ(dropped(DropReason::CryptoBusy), 0u);
}

TEST_F(ProtectDeviceTest, beyond_what_may_wait_the_newest_packets_are_dropped_by_name) {
  FakeCryptoQueue queue;
  queue.depth = 10;
  make_on(queue);
  offer_many(DeviceSealer::kMost + 50);
  EXPECT_EQ(dropped(DropReason::CryptoBusy), 50u);
  while (stage_->held() != 0) {
    queue.finish_all();
    stage_->work();
  }
  EXPECT_EQ(sink_.frames.size(), std::size_t{DeviceSealer::kMost});
  EXPECT_TRUE(std::ranges::is_sorted(left()));
  queue.most = 20;  // operations
  offer_many(25);
  EXPECT_EQ(dropped(DropReason::CryptoBusy), 55u);
  queue.finish_all();
  stage_->work();
  queue.finish_all();
  stage_->finish();
}

TEST_F(ProtectDeviceTest, what_no_session_is_for_is_sealed_here_and_waits_its_turn) {
  FakeCryptoQueue queue;
  make_on(queue);
  offer_many(2);
  Bytes extended = rtp_packet(2, 0, kOwn, pattern(60));
  extended[0] = 0x91;  // a CSRC and an extension
  extended[17] = extended[18] = extended[19] = 0;
  offer(extended);
  EXPECT_EQ(queue.under_way.size(), 2u);
  EXPECT_TRUE(sink_.frames.empty());
  queue.finish_all();
  stage_->work();
  EXPECT_EQ(left(), (std::vector<unsigned>{0, 1, 2}));
  EXPECT_NE(Bytes(sink_.frames[2].end() - 40, sink_.frames[2].end()),
            Bytes(extended.end() - 40, extended.end()));
}

struct Device {
  const char* name;
};
class DpdkDeviceTest : public ProtectDeviceTest, public testing::WithParamInterface<Device> {};

// Each profile, key length and kind of header; in bursts that are larger than the device's.
TEST_P(DpdkDeviceTest, makes_the_bytes_that_the_worker_makes) {
  auto device = CryptoDevice::open(GetParam().name, 1);
  ASSERT_TRUE(device) << device.error().text;
  const std::vector<std::byte> some(16);
  ASSERT_TRUE((*device)->queue(0).make_session(some, 12));  // else workers would do it
  std::mt19937 random(17);
  for (const ProtectProfile profile :
       {ProtectProfile::SrtpGcm, ProtectProfile::EspTunnel, ProtectProfile::EspTransport}) {
    for (const unsigned bits : {128u, 256u}) {
      for (const bool esn : {true, false}) {
        protect() = {};
        protect().profile = profile;
        protect().key_bits = bits;
        protect().esn = esn;
        protect().spi = 0x1234;
        protect().mki_bytes = profile == ProtectProfile::SrtpGcm && esn ? 4 : 0;
        protect().keys = one_key(key_of(key_file_bytes(protect()), bits));
        protect().inner.to = Endpoint::parse("239.1.0.1:5000").value();
        protect().inner.source = IpAddress::parse("10.1.0.5").value();
        std::vector<Bytes> payloads;
        for (unsigned n = 0; n < 300; ++n) {
          payloads.push_back(rtp_packet(n, 0, kOwn, pattern(40 + random() % 1'200, n)));
          if (random() % 4 == 0)
            payloads.back()[0] = static_cast<std::uint8_t>(0x80 | random() % 4);
        }
        std::vector<Bytes> made[2];
        for (const bool on_device : {false, true}) {
          protect().backend = on_device ? ProtectBackend::Cryptodev : ProtectBackend::IpsecMb;
          make_on((*device)->queue(0));
          sink_.frames.clear();
          std::vector<rte_mbuf*> burst;
          burst.reserve(payloads.size());
          for (const Bytes& payload : payloads) burst.push_back(packet_of(payload));
          stage_->process(burst, {1});
          stage_->finish();
          made[on_device] = sink_.frames;
          stage_.reset();
        }
        ASSERT_EQ(made[0].size(), payloads.size());
        EXPECT_EQ(made[1], made[0]) << bits << esn;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, DpdkDeviceTest,
                         testing::Values(Device{"crypto_openssl0"}, Device{"crypto_aesni_gcm0"},
                                         Device{"crypto_aesni_mb0"}),
                         [](const auto& which) { return std::string(which.param.name); });

TEST_F(ProtectDeviceTest, a_device_that_is_none_is_told_by_its_name) {
  const auto why = [](const char* device, unsigned queues) {
    const auto opened = CryptoDevice::open(device, queues);
    return opened ? std::string() : opened.error().text;
  };
  EXPECT_TRUE(why("crypto_nothing0", 1).starts_with("crypto device crypto_nothing0: "));
  EXPECT_NE(why("net_null7", 1).find("no crypto device"), std::string::npos);
  EXPECT_NE(why("crypto_null3", 1).find("no AES-GCM"), std::string::npos);
  EXPECT_NE(why("crypto_openssl4,max_nb_queue_pairs=1", 2).find("has 1 queues"), std::string::npos);
}

}  // namespace
}  // namespace castgate::test
