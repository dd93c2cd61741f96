// SPDX-License-Identifier: Apache-2.0
// Whatever fails for a client with a key of its own, nothing of the packet leaves to it in the
// clear, its counters say why, and the group beside it, which is in the clear, has all.
#include <functional>

#include "tests/support/byte_windows.h"
#include "tests/support/client_seal_lab.h"

namespace castgate::test {
namespace {

constexpr unsigned kPackets = 8;
constexpr ProtectProfile kProfiles[] = {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm};

class ClientPlaintextTest : public ClientSealLab {
 public:
  using ClientSealLab::join_with_key;
  using DriverTest::pool;

  struct Failure {
    const char* name;
    ClientDrop why;
    DropReason reason;
    std::function<void(StreamSpec&)> change;
    std::function<ClientPlace(ClientPlaintextTest&)> run;
  };

  void begin(ProtectProfile profile, unsigned max_packets,
             const std::function<void(StreamSpec&)>& change) {
    protect_ = protect_of(profile);
    protect_.isolation = Isolation::PerClient;
    protect_.max_packets = max_packets;
    change_ = [&](UnicastSpec& unicast) {
      unicast.protect = protect_;
      unicast.too_big = TooBig::Fragment;
      spec_.ports[1].mtu = 9'000;
      StreamSpec& stream = spec_.streams[0];
      OutputSpec& group = stream.outputs.emplace_back();
      group.port = 1;
      group.to = Endpoint::parse("239.9.0.1:6000").value();
      group.source = IpAddress::v4(0x0a0000fe);
      if (change) change(stream);
    };
    make();
    out_.keeps = true;
  }
  void end() {
    TearDown();
    heads_.reset();
    roster_.reset();
    flows_.reset();
    spec_ = {};
    done_ = 0;
    SetUp();
  }
  void offer_all(unsigned length = 1'316, std::uint8_t first = 0x80) {
    for (unsigned n = 0; n < kPackets; ++n) receive(n, 0, length, first);
    work_until_idle();
  }
  void offer(unsigned number) {
    receive(number);
    work_until_idle();
  }
  void wipe(const ClientPlace& place) { seal_of(place).wipe(); }

  // Of all that left nothing is in the clear but what the group got; how many packets that is.
  unsigned judge() {
    const std::vector<Bytes> clear{Bytes(16, kClear)};
    const Windows windows(clear);
    unsigned to_group = 0;
    for (const rte_mbuf* packet : out_.kept) {
      const Bytes frame = bytes_of(packet);
      const bool is_group = frame[30] == 239;
      to_group += is_group;
      EXPECT_EQ(windows.any_in(frame), is_group) << "to " << unsigned{frame[33]};
    }
    return to_group;
  }

  static std::vector<Failure> failures();
};

using Lab = ClientPlaintextTest;

std::vector<Lab::Failure> Lab::failures() {
  const auto fails_after_join = [](std::uint16_t mtu) {
    return [mtu](Lab& lab) {
      const ClientPlace place = lab.join_with_key(1, mtu);
      lab.wipe(place);
      lab.offer_all();
      return place;
    };
  };
  const auto has_short_path = [](std::uint16_t mtu, unsigned length) {
    return [mtu, length](Lab& lab) {
      const ClientPlace place = lab.join_with_key(1, mtu);
      lab.offer_all(length);
      return place;
    };
  };
  const auto runs_out_of_buffers = [](Lab& lab) {
    const ClientPlace place = lab.join_with_key(1);
    std::vector<rte_mbuf*> taken(rte_mempool_avail_count(lab.pool()));
    const auto count = static_cast<unsigned>(taken.size());
    EXPECT_EQ(rte_pktmbuf_alloc_bulk(lab.pool(), taken.data(), count), 0);
    for (unsigned n = 0; n < kPackets; ++n) {
      rte_pktmbuf_free(taken.back());  // for what is received, and the group gets
      taken.pop_back();
      lab.offer(n);
    }
    for (rte_mbuf* packet : taken) rte_pktmbuf_free(packet);
    return place;
  };
  return {
      {"there is no key", ClientDrop::NotSealed, DropReason::KeySpent, {}, fails_after_join(0)},
      {"nor for fragments", ClientDrop::NotSealed, DropReason::KeySpent, {}, fails_after_join(576)},
      {"the path takes it in the clear alone", ClientDrop::Mtu, DropReason::Mtu,
       [](StreamSpec& stream) { stream.unicasts[0].too_big = TooBig::Drop; },
       has_short_path(1'316 + 28, 1'316)},
      {"there is no buffer for it",
       ClientDrop::CopyFailed,
       DropReason::CopyFailed,
       {},
       runs_out_of_buffers},
      {"it is no RTP", ClientDrop::NotSealed, DropReason::SealNotRtp,
       [](StreamSpec& stream) {
         stream.sequence.format = SequenceFormat::Generic;
         stream.sequence.generic.position = {2, 2};
       },
       [](Lab& lab) {
         const ClientPlace place = lab.join_with_key(1);
         lab.offer_all(1'316, kClear);
         return place;
       }},
  };
}

TEST_F(ClientPlaintextTest, what_cannot_be_sealed_for_a_client_does_not_leave_to_it) {
  for (const ProtectProfile profile : kProfiles) {
    for (const Failure& failure : failures()) {
      SCOPED_TRACE(failure.name);
      begin(profile, 0, failure.change);
      const ClientPlace place = failure.run(*this);
      const unsigned to_group = judge();
      if (failure.why != ClientDrop::CopyFailed) {
        EXPECT_EQ(to_group, kPackets);
      }
      const ClientCounters counters = roster_->counters(place);
      EXPECT_EQ(counters.drops[static_cast<std::size_t>(failure.why)], kPackets);
      EXPECT_EQ(counters.sealed, 0u);
      EXPECT_EQ(drops(failure.reason) + to_group, 2 * kPackets);
      end();
    }
  }
}

// Its limit, no buffer, and a client whose key is gone, one after the other.
TEST_F(ClientPlaintextTest, from_when_sealing_fails_nothing_more_leaves_and_before_it_all_did) {
  for (const ProtectProfile profile : kProfiles) {
    begin(profile, 5, {});
    const ClientPlace spent = join_with_key(1);
    const ClientPlace fragments = join_with_key(2, 576);
    offer_all();
    EXPECT_EQ(judge(), kPackets);
    for (const ClientPlace& place : {spent, fragments}) {
      EXPECT_EQ(roster_->counters(place).sealed, 5u);
      EXPECT_EQ(not_sealed(place), kPackets - 5);
    }
    EXPECT_EQ(drops(DropReason::KeySpent), 2 * (kPackets - 5));
    end();
  }
}

TEST_F(ClientPlaintextTest, a_reload_from_the_clear_or_another_key_leaves_no_client_behind) {
  for (const ProtectProfile profile : kProfiles) {
    begin(profile, 0, {});
    join_with_key(1);
    receive(0);
    work_until_idle();
    Spec after = spec_;
    ProtectSpec& other = after.streams[0].unicasts[0].protect;
    other = protect_of(profile == ProtectProfile::SrtpCm ? ProtectProfile::SrtpGcm
                                                         : ProtectProfile::SrtpCm);
    other.isolation = Isolation::PerClient;
    const ClientRoster roster(after, ports_, &*roster_);
    const auto kit =
        make_kit({.before = spec_, .after = after, .ports = ports_, .clients = &roster}, 0);
    for (unsigned n = 1; n < kPackets; ++n) receive(n);  // some wait in the fan
    pipeline_->install(*kit, now_);
    work_until_idle();
    EXPECT_EQ(judge(), kPackets);
    end();
  }
}

}  // namespace
}  // namespace castgate::test
