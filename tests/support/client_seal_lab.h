// SPDX-License-Identifier: Apache-2.0
// Clients who each have a key of their own, and what each of them got.
#pragma once

#include <algorithm>
#include <map>

#include "tests/support/fan_lab.h"
#include "tests/support/srtp_opener.h"

namespace castgate::test {

// Fields of frames that the lab sends: all bytes behind the RTP header are this one.
inline constexpr std::uint8_t kClear = 0x5a;

class ClientSealLab : public FanLab {
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

  ProtectSpec protect_;
};

}  // namespace castgate::test
