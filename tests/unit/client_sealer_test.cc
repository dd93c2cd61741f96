// SPDX-License-Identifier: Apache-2.0
// Clients who each have a key of their own: what they get, and that no step that fails lets the
// clear packet go.
#include "dataplane/protect/client_sealer.h"

#include <map>
#include <set>

#include "tests/support/fan_lab.h"
#include "tests/support/srtp_opener.h"

namespace castgate::test {
namespace {

// Fields of frames that the lab sends: all bytes behind the RTP header are this one.
constexpr std::uint8_t kClear = 0x5a;

class ClientSealTest : public FanLab {
 protected:
  void make_isolated(ProtectProfile profile, unsigned max_packets = 0) {
    protect_ = protect_of(profile);
    protect_.isolation = Isolation::PerClient;
    protect_.max_packets = max_packets;
    change_ = [this](UnicastSpec& unicast) {
      unicast.protect = protect_;
      unicast.too_big = TooBig::Fragment;
    };
    make();
    out_.keeps = true;
  }
  ClientPlace join_with_key(unsigned number, std::uint16_t mtu = 0) {
    ClientRoute route{.to = {IpAddress::v4(0x0a000000 + number), 6000}};
    route.source = IpAddress::v4(0x0a0000fe);
    route.next_hop = MacAddress{{2, 0, 0, 0, 0, 7}};
    route.mtu = mtu;
    const SharedKey bytes = key_of(key_file_bytes(protect_), 10 + number);
    const auto key = make_secret<ClientKey>(bytes->bytes(), ssrc_of(number), 0u);
    const auto command = roster_->join(route, key.get(), 0, done_);
    EXPECT_TRUE(command) << command.error().text;
    carry_out(*command);
    return command->client.place;
  }
  static std::uint32_t ssrc_of(unsigned number) { return 0xabc00000 + number; }
  SrtpOpener opener_of(unsigned number) const {
    ProtectSpec own = protect_;
    own.keys = one_key(key_of(key_file_bytes(protect_), 10 + number));
    return SrtpOpener(own);
  }
  ClientSeal& seal_of(const ClientPlace& place) {
    ClientVector& clients = *roster_->clients_of(place.stream)[place.part][place.unicast];
    return (*clients.chunk(place.slot / 64).seals)[place.slot % 64];
  }
  std::uint64_t not_sealed(const ClientPlace& place) {
    return roster_->counters(place).drops[static_cast<std::size_t>(ClientDrop::NotSealed)];
  }
  // What left, by client: UDP payloads. None of it has anything in the clear.
  std::map<unsigned, std::vector<Bytes>> left() {
    std::map<unsigned, std::vector<Bytes>> made;
    for (const rte_mbuf* packet : out_.kept) {
      EXPECT_EQ(packet->nb_segs, 1);
      const auto* frame = rte_pktmbuf_mtod(packet, const std::uint8_t*);
      const Bytes payload(frame + 42, frame + packet->data_len);
      EXPECT_LT(std::ranges::count(payload, kClear), 100) << "in the clear";
      made[frame[33]].push_back(payload);
    }
    return made;
  }
  Bytes clear_of(unsigned client, std::uint64_t index) {
    Bytes made(1316, kClear);
    made[0] = 0x80;
    set16(made, 2, static_cast<unsigned>(index));
    store_be32(made.data() + 8, ssrc_of(client));
    return made;
  }

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

  ProtectSpec protect_;
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
