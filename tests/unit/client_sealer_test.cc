// SPDX-License-Identifier: Apache-2.0
// Clients who each have a key of their own: what they get, and that no step that fails lets the
// clear packet go.
#include "dataplane/protect/client_sealer.h"

#include <set>

#include "tests/support/client_seal_lab.h"

namespace castgate::test {
namespace {

class ClientSealTest : public ClientSealLab {
 protected:
  void expect_each_opens_its_own(ProtectProfile profile) {
    make_isolated(profile);
    for (unsigned n = 0; n < 40; ++n) join_with_key(n);
    for (unsigned n = 0; n < 3; ++n) receive(100 + n);
    work_until_idle();
    join_with_key(50);
    receive(103);
    work_until_idle();
    const auto got = left();
    ASSERT_EQ(got.size(), 41u);
    for (const auto& [client, packets] : got) {
      ASSERT_EQ(packets.size(), client == 50 ? 1u : 4u);
      SrtpOpener own = opener_of(client);
      for (std::size_t i = 0; i < packets.size(); ++i)
        EXPECT_EQ(own.open(packets[i], i), clear_of(client, i)) << client;
      EXPECT_TRUE(opener_of(client + 1).open(packets[0], 0).empty());
    }
    EXPECT_EQ(snapshot().streams[0].crypto_packets, 40u * 4 + 1);
  }
};

TEST_F(ClientSealTest, each_client_opens_its_own_gcm_and_begins_at_number_0) {
  expect_each_opens_its_own(ProtectProfile::SrtpGcm);
}

TEST_F(ClientSealTest, each_client_opens_its_own_cm_and_begins_at_number_0) {
  expect_each_opens_its_own(ProtectProfile::SrtpCm);
}

// Before the stage, failover drops it as malformed.
TEST(ClientSealerTest, what_is_no_rtp_is_sealed_for_nobody) {
  const auto ciphers = Ciphers::make();
  ProtectSpec spec = protect_of(ProtectProfile::SrtpGcm);
  spec.isolation = Isolation::PerClient;
  const auto seals = make_secret<ClientSeals>();
  const ClientKey key(spec.keys[0].key->bytes(), 7, 0);
  (*seals)[0].set(*ciphers, spec, key);
  const auto sealer = make_client_sealer();
  std::array<std::byte, 64> to{};
  std::array<std::byte, 40> clear{};
  clear[0] = std::byte{0x8f};  // 15 CSRCs, which are not there
  ClientSealer::Copy copy{&(*seals)[0], to.data()};
  EXPECT_EQ(sealer->seal(ClientSealing(spec), clear, {&copy, 1}), DropReason::SealNotRtp);
  EXPECT_FALSE(copy.sealed);
  clear[0] = std::byte{0x80};
  EXPECT_EQ(sealer->seal(ClientSealing(spec), clear, {&copy, 1}), std::nullopt);
  EXPECT_TRUE(copy.sealed);
  EXPECT_EQ((*seals)[0].taken(), 1u);
}

TEST(ClientSealingTest, has_room_for_what_is_added) {
  for (const auto profile : {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm}) {
    ProtectSpec spec = protect_of(profile);
    EXPECT_FALSE(ClientSealing(spec).is_on());
    spec.isolation = Isolation::PerClient;
    const ClientSealing sealing(spec);
    EXPECT_TRUE(sealing.is_on());
    EXPECT_EQ(sealing.sealed(100), 100 + srtp_growth(spec));
    EXPECT_GE(sealing.room(100), sealing.sealed(100));
  }
}

TEST_F(ClientSealTest, a_spent_key_and_none_let_nothing_go) {
  make_isolated(ProtectProfile::SrtpGcm, 2);
  const auto spent = join_with_key(1);
  const auto keyless = join_with_key(2);
  join_with_key(3);
  receive(0);
  work_until_idle();
  seal_of(keyless).wipe();
  receive(1);
  receive(2);
  work_until_idle();
  const auto got = left();
  EXPECT_EQ(got.at(1).size(), 2u);
  EXPECT_EQ(got.at(2).size(), 1u);
  EXPECT_EQ(got.at(3).size(), 2u);
  EXPECT_EQ(not_sealed(spent), 1u);
  EXPECT_EQ(not_sealed(keyless), 2u);
  EXPECT_EQ(drops(DropReason::KeySpent), 4u);
}

TEST_F(ClientSealTest, without_a_buffer_nothing_goes_and_no_number_is_lost) {
  make_isolated(ProtectProfile::SrtpGcm);
  const auto place = join_with_key(1);
  receive(0);
  work_until_idle();
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* packet = rte_pktmbuf_alloc(pool())) taken.push_back(packet);
  rte_pktmbuf_free(taken.back());
  taken.pop_back();
  receive(1);
  work_until_idle();
  for (rte_mbuf* packet : taken) rte_pktmbuf_free(packet);
  EXPECT_EQ(drops(DropReason::CopyFailed), 1u);
  receive(2);
  work_until_idle();
  const auto got = left();
  ASSERT_EQ(got.at(1).size(), 2u);
  EXPECT_EQ(opener_of(1).open(got.at(1)[1], 1), clear_of(1, 1));
  EXPECT_EQ(roster_->counters(place).sealed, 2u);
}

TEST_F(ClientSealTest, who_gets_fragments_gets_them_sealed) {
  make_isolated(ProtectProfile::SrtpGcm);
  join_with_key(1);
  const auto narrow = join_with_key(2, 576);
  receive(0);
  receive(1);
  work_until_idle();
  std::vector<Bytes> whole(2);
  std::set<unsigned> ids;
  for (const rte_mbuf* packet : out_.kept) {
    const auto* ip = rte_pktmbuf_mtod(packet, const std::uint8_t*) + 14;
    if (ip[19] != 2) continue;
    const unsigned offset = (load_be16(ip + 6) & 0x1fffu) * 8u;
    ids.insert(load_be16(ip + 4));
    Bytes& into = whole[ids.size() - 1];
    const unsigned length = load_be16(ip + 2) - 20u;
    into.resize(std::max<std::size_t>(into.size(), offset + length));
    std::memcpy(into.data() + offset, ip + 20, length);
  }
  SrtpOpener own = opener_of(2);
  for (std::uint64_t n = 0; n < 2; ++n) {
    EXPECT_EQ(load_be16(whole[n].data() + 6), 0u) << "UDP checksum";
    EXPECT_EQ(own.open(Bytes(whole[n].begin() + 8, whole[n].end()), n), clear_of(2, n));
  }
  EXPECT_EQ(roster_->counters(narrow).sealed, 2u);
  seal_of(narrow).wipe();
  out_.let_go();
  receive(2);
  work_until_idle();
  EXPECT_EQ(left().count(2), 0u);
  EXPECT_EQ(not_sealed(narrow), 1u);
}

TEST_F(ClientSealTest, who_left_leaves_no_key_behind) {
  make_isolated(ProtectProfile::SrtpGcm);
  const auto place = join_with_key(1);
  receive(0);
  work_until_idle();
  ClientSeal& seal = seal_of(place);
  const auto bytes = [&] {
    const auto* at = reinterpret_cast<const std::byte*>(&seal.gcm());
    return std::vector<std::byte>(at, at + sizeof(GcmKey));
  };
  EXPECT_FALSE(std::ranges::all_of(bytes(), [](std::byte byte) { return byte == std::byte{}; }));
  leave(place);
  EXPECT_TRUE(std::ranges::all_of(bytes(), [](std::byte byte) { return byte == std::byte{}; }));
  std::uint64_t number = 0;
  EXPECT_FALSE(seal.take(number));
  EXPECT_EQ(join_with_key(2).slot, place.slot);
  receive(1);
  work_until_idle();
  const auto got = left();
  EXPECT_EQ(opener_of(2).open(got.at(2)[0], 0), clear_of(2, 0)) << "its numbers begin anew";
}

}  // namespace
}  // namespace castgate::test
