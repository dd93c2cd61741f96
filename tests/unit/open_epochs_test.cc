// SPDX-License-Identifier: Apache-2.0
// Legs whose sender changes keys: SRTP with an MKI as libsrtp2 seals it, ESP with an SPI for each.
#include <random>

#include "tests/support/esp_lab.h"
#include "tests/support/mki_peer.h"
#include "tests/support/random_rtp.h"

namespace castgate::test {
namespace {

constexpr unsigned kKeys = 5;
constexpr std::uint32_t kFirstEpoch = 3;

std::vector<EpochKey> keys_of(const OpenSpec& spec, unsigned count = kKeys) {
  std::vector<EpochKey> keys;
  for (unsigned n = 0; n < count; ++n) {
    std::vector<std::byte> bytes(key_file_bytes(spec));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + n);
    keys.push_back({.epoch = kFirstEpoch + n, .key = share_key(bytes), .numbers = nullptr});
  }
  return keys;
}

MkiSuite suite_of(const OpenSpec& spec) {
  return {.gcm = spec.profile == OpenProfile::SrtpGcm,
          .key_bits = spec.key_bits,
          .tag_bits = spec.tag_bits,
          .mki_bytes = spec.mki_bytes};
}

class OpenEpochsTest : public OpenEspTest {
 protected:
  void begin(OpenProfile profile, unsigned mki_bytes) {
    opened() = {};
    opened().profile = profile;
    opened().mki_bytes = mki_bytes;
    opened().tag_bits = mki_bytes == 3 ? 32 : 80;
    opened().key_file = "keys";
    opened().keys = keys_of(opened());
  }
};

TEST_F(OpenEpochsTest, what_libsrtp2_seals_under_each_of_its_keys_opens_through_wraps) {
  for (const OpenProfile profile : {OpenProfile::SrtpGcm, OpenProfile::SrtpCm}) {
    for (const unsigned mki_bytes : {1u, 3u, 4u}) {
      begin(profile, mki_bytes);
      MkiPeer peer(suite_of(opened()), opened().keys, true);
      OneWorker worker(spec, pool(), false);
      for (unsigned n = 0; n < 1'000; ++n) {
        // Keys before the newest one go on beside it, as of packets on their way.
        const unsigned key = n / 250 + n % 2;
        send(worker, peer.seal(clear_of(65'000 + n), key));
      }
      expect_clear(worker, 1'000, 65'000);
      EXPECT_EQ(leg_of(worker).opened, 1'000u);
      expect_balance(worker);
    }
  }
}

// Packets of every kind, under keys at random: as srtp_peer_test's.
TEST_F(OpenEpochsTest, random_packets_of_libsrtp2_open_in_every_suite) {
  std::mt19937_64 random(7);
  const auto master = [](const OpenSpec& open, const EpochKey& key) {
    return read_srtp_master(key.key->bytes(), static_cast<KeyBits>(open.key_bits));
  };
  for (const MkiSuite& suite :
       {MkiSuite{true, 128, 80, 4}, MkiSuite{true, 256, 80, 1}, MkiSuite{false, 128, 80, 4},
        MkiSuite{false, 128, 32, 2}, MkiSuite{false, 256, 80, 4}}) {
    opened() = {};
    opened().profile = suite.gcm ? OpenProfile::SrtpGcm : OpenProfile::SrtpCm;
    opened().key_bits = suite.key_bits;
    const auto keys = keys_of(opened());
    MkiPeer peer(suite, keys, true);
    SrtpInbound inbound(
        {.gcm = suite.gcm, .tag = suite.tag_bits / 8, .mki = suite.mki_bytes, .window = 64});
    const Ciphers ciphers = *Ciphers::make();
    for (const EpochKey& key : keys) inbound.add(ciphers, *master(opened(), key), key.epoch);
    SrtpCmBatch batch;
    std::vector<std::byte> spare(2'000);
    const std::uint64_t wanted = srtp_packets_wanted();
    for (std::uint64_t n = 0; n < wanted; ++n) {
      Bytes clear = random_rtp<std::uint8_t>(random, 65'000 + n, 7);
      clear[1] &= 0x9f;  // no packet type of RTCP
      Bytes sealed = peer.seal(clear, static_cast<unsigned>(random() % kKeys));
      SrtpInbound::Packet came;
      const Instant now{static_cast<std::int64_t>(n)};
      ASSERT_FALSE(inbound.read(std::as_writable_bytes(std::span(sealed)), now, came)) << n;
      ASSERT_FALSE(inbound.open({ciphers.manager(), batch, spare}, came, now)) << n;
      sealed.resize(came.rtp.length);
      ASSERT_EQ(sealed, clear) << n;
    }
  }
}

TEST_F(OpenEpochsTest, a_packet_of_a_key_that_is_not_there_is_told_by_its_mki) {
  for (const OpenProfile profile : {OpenProfile::SrtpGcm, OpenProfile::SrtpCm}) {
    begin(profile, 4);
    MkiPeer peer(suite_of(opened()), opened().keys, true);
    opened().keys.pop_back();
    OneWorker worker(spec, pool(), false);
    for (unsigned n = 0; n < 100; ++n) send(worker, peer.seal(clear_of(n), kKeys - 2 + n % 2));
    worker.pipeline->drain(worker.now);
    EXPECT_EQ(worker.port.sent.size(), 50u);
    EXPECT_EQ(worker.dropped(DropReason::OtherMki), 50u);
    EXPECT_EQ(leg_of(worker).other_mki, 50u);
    Bytes swapped = peer.seal(clear_of(100), 0);  // under the first key, and says the second
    const std::size_t behind = profile == OpenProfile::SrtpCm ? 10 : 0;
    ++swapped[swapped.size() - behind - 1];
    send(worker, swapped);
    EXPECT_EQ(worker.dropped(DropReason::Forged), 1u);
    expect_balance(worker);
  }
}

TEST_F(OpenEpochsTest, one_number_opens_under_one_key_alone) {
  begin(OpenProfile::SrtpGcm, 4);
  MkiPeer peer(suite_of(opened()), opened().keys, true);
  MkiPeer again(suite_of(opened()), opened().keys, true);
  OneWorker worker(spec, pool(), false);
  send(worker, peer.seal(clear_of(1), 0));
  send(worker, again.seal(clear_of(1), 1));
  EXPECT_EQ(worker.port.sent.size(), 1u);
  EXPECT_EQ(worker.dropped(DropReason::Replayed), 1u);
}

TEST_F(OpenEpochsTest, keys_come_and_go_by_reloads_and_what_was_opened_stays_so) {
  for (const OpenProfile profile : {OpenProfile::SrtpGcm, OpenProfile::SrtpCm}) {
    begin(profile, 4);
    const std::vector<EpochKey> all = opened().keys;
    MkiPeer peer(suite_of(opened()), all, true);
    opened().keys.resize(1);
    OneWorker worker(spec, pool(), false);
    std::vector<Bytes> last;
    for (unsigned key = 0; key < kKeys; ++key) {
      Spec after = spec;
      // The one before and this one.
      after.streams[0].legs[0].open.keys.assign(all.begin() + (key == 0 ? 0 : key - 1),
                                                all.begin() + key + 1);
      reload(worker, after);
      for (const Bytes& packet : last) send(worker, packet);
      EXPECT_EQ(worker.dropped(DropReason::Replayed), 20u * key);
      last.clear();
      for (unsigned n = 0; n < 1'000; ++n) {
        const Bytes sealed = peer.seal(clear_of(64'000 + 1'000 * key + n), key);
        send(worker, sealed);
        if (n >= 980) last.push_back(sealed);
      }
    }
    expect_clear(worker, 1'000 * kKeys, 64'000);
    expect_balance(worker);
  }
}

TEST_F(OpenEpochsTest, a_key_that_gets_another_name_is_the_same_key) {
  for (const OpenProfile profile : {OpenProfile::SrtpGcm, OpenProfile::SrtpCm}) {
    begin(profile, 0);
    opened().keys.resize(1);
    MkiPeer peer(suite_of(opened()), opened().keys, true);
    OneWorker worker(spec, pool(), false);
    std::vector<Bytes> sealed;
    for (unsigned n = 0; n < 50; ++n) send(worker, sealed.emplace_back(peer.seal(clear_of(n), 0)));
    Spec after = spec;
    ++after.streams[0].legs[0].open.keys[0].epoch;
    reload(worker, after);
    for (const Bytes& packet : sealed) send(worker, packet);
    EXPECT_EQ(worker.dropped(DropReason::Replayed), 50u);
    expect_clear(worker, 50);
  }
}

// A report and its source's own numbers tell nothing of the merged stream.
TEST_F(OpenEpochsTest, rtcp_beside_rtp_is_dropped_by_its_name) {
  for (const OpenProfile profile : {OpenProfile::SrtpGcm, OpenProfile::SrtpCm}) {
    begin(profile, 4);
    MkiPeer peer(suite_of(opened()), opened().keys, true);
    OneWorker worker(spec, pool(), false);
    for (unsigned n = 0; n < 100; ++n) {
      Bytes report{0x80, static_cast<std::uint8_t>(200 + n % 8), 0, 6};
      put32(report, 7);
      append(report, pattern(20, n));
      send(worker, peer.seal_rtcp(report, n % kKeys));
      send(worker, peer.seal(clear_of(n), n % kKeys));
    }
    EXPECT_EQ(worker.dropped(DropReason::Rtcp), 100u);
    EXPECT_EQ(leg_of(worker).rtcp, 100u);
    expect_clear(worker, 100);
    expect_balance(worker);
  }
}

TEST_F(OpenEpochsTest, each_key_of_esp_has_its_spi_and_its_own_numbers) {
  opened() = tunnel();
  opened().keys = keys_of(opened());
  const std::vector<EpochKey> all = opened().keys;
  std::vector<std::unique_ptr<EspSender>> senders;
  for (const EpochKey& key : all) {
    OpenSpec one = opened();
    one.spi = opened().spi_of(key.epoch);
    one.keys = {key};
    senders.push_back(std::make_unique<EspSender>(one));
  }
  opened().keys.resize(2);
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 200; ++n)
    receive(worker, esp_frame(senders[n % 2]->seal(inside(n), kEspIp4, 1 + n / 2)));
  expect_clear(worker, 200);
  receive(worker, esp_frame(senders[2]->seal(inside(200), kEspIp4, 1)));
  EXPECT_EQ(worker.dropped(DropReason::OtherSpi), 1u);
  Spec after = spec;
  after.streams[0].legs[0].open.keys.assign(all.begin() + 1, all.end());
  reload(worker, after);
  for (unsigned n = 150; n < 200; ++n)
    receive(worker, esp_frame(senders[n % 2]->seal(inside(n), kEspIp4, 1 + n / 2)));
  EXPECT_EQ(worker.dropped(DropReason::OtherSpi), 26u) << "the first key has gone";
  EXPECT_EQ(worker.dropped(DropReason::Replayed), 25u);
  for (unsigned n = 200; n < 300; ++n)
    receive(worker, esp_frame(senders[2]->seal(inside(n), kEspIp4, n - 199)));
  expect_clear(worker, 300);
  expect_balance(worker);
}

}  // namespace
}  // namespace castgate::test
