// SPDX-License-Identifier: Apache-2.0
// deploy/bench.sh protect: what sealing a packet costs in the stage, against IPsec-MB's own call,
// libsrtp2 and librte_ipsec, each measured in the same rounds. A row per figure: name, value,
// floor, goal, verdict; exits 1 where a floor is missed.
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <optional>

#include <rte_cycles.h>

#include "tests/bench/client_loop.h"
#include "tests/bench/figures.h"
#include "tests/bench/ipsec_peer.h"
#include "tests/bench/path_scene.h"
#include "tests/bench/protect_loops.h"
#include "tests/bench/start.h"

namespace castgate::bench {
namespace {

constexpr std::uint64_t kPerRound = 400'000;  // packets

struct Cost {
  double ours;
  double unit;
};

// Medians over the rounds of both, one after the other in each.
Cost interleaved(unsigned rounds, const std::function<std::uint64_t()>& ours,
                 const std::function<std::uint64_t()>& unit) {
  std::vector<double> costs;
  std::vector<double> units;
  for (unsigned round = 0; round < rounds; ++round) {
    costs.push_back(cycles_per_packet(ours));
    units.push_back(cycles_per_packet(unit));
  }
  return {median(costs), median(units)};
}

struct Peer {
  ProtectProfile profile;
  const char* name;
  unsigned payload;
  unsigned bursts_a_turn;
  double floor;
  double goal;
};

constexpr std::array kPeers{
    Peer{ProtectProfile::SrtpGcm, "srtp_gcm", 64, 1, 12, 17},
    Peer{ProtectProfile::SrtpGcm, "srtp_gcm", 1'328, 1, 3.5, 4.1},
    Peer{ProtectProfile::SrtpCm, "srtp_cm", 64, 4, 15, 20},
    Peer{ProtectProfile::SrtpCm, "srtp_cm", 1'328, 4, 9, 11},
};

void must(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "{}\n", what);
  std::exit(EXIT_FAILURE);
}

struct Encapsulation {
  unsigned inside;  // the IP packet that is sealed, bytes
  double floor;
  double goal;
};
constexpr std::array kEncapsulations{Encapsulation{64, 0.90, 0.63}, Encapsulation{512, 0.95, 0.80},
                                     Encapsulation{1'328, 1.0, 0.91}};

// Both make the same bytes: headers outside, ESP, the packet inside. That inside we write anew.
bool measure_esp(unsigned rounds, rte_mempool* pool, std::string& cycles) {
  constexpr unsigned kHeaders = 28;
  bool good = true;
  IpsecPeer peer;
  for (const Encapsulation& row : kEncapsulations) {
    Frames others(pool, row.inside - kHeaders);
    Frames frames(pool, row.inside - kHeaders);
    StageLoop<EspGroup> stage(ProtectProfile::EspTunnel, 1);
    const Cost cost = interleaved(
        rounds, [&] { return stage.run(frames, kPerRound); },
        [&] {
          for (std::uint64_t n = 0; n < kPerRound; n += kBurst) peer.encapsulate(others.next());
          return kPerRound;
        });
    must(stage.sealed_all(rounds * kPerRound), "the stage did not seal every packet");
    const std::string name = fmt::format("esp_tunnel {} B", row.inside);
    good &= print({fmt::format("{}: stage and headers / librte_ipsec", name), cost.ours / cost.unit,
                   row.floor, row.goal, "{:.2f}"});
    cycles +=
        fmt::format("{:<62} {:8.0f} {:8.0f}\n", name + ", librte_ipsec", cost.ours, cost.unit);
  }
  return good;
}

// What sealing adds to a copy that a client gets.
bool measure_path(unsigned rounds, const BridgeParts& parts, std::string& cycles) {
  constexpr std::uint64_t kMerged = 2'000;  // a round
  PathScene sealed(stream_of(ProtectProfile::SrtpGcm).outputs[0].protect, parts);
  PathScene clear({}, parts);
  const Cost cost =
      interleaved(rounds, [&] { return sealed.run(kMerged); }, [&] { return clear.run(kMerged); });
  for (PathScene* scene : {&sealed, &clear}) {
    const std::string fault = scene->audit();
    must(fault.empty(), fault.c_str());
  }
  cycles += fmt::format("{:<62} {:8.1f} {:8.1f}\n", "a copy of 1000 clients', sealed and clear",
                        cost.ours, cost.unit);
  return print({"merge, protect, 1000 clients / the same in the clear, a copy",
                cost.ours / cost.unit, 1.10, 1.03, "{:.2f}"});
}

// What it costs that each client's key is read from memory once a packet.
bool measure_isolation(unsigned rounds, rte_mempool* pool, std::string& cycles) {
  constexpr unsigned kClients = 100'000;
  constexpr unsigned kPayload = 1'328 + kHeader;
  ClientLoop many(pool, kClients, kPayload);
  ClientLoop one(pool, 1, kPayload);
  const Cost cost =
      interleaved(rounds, [&] { return many.run(kPerRound); }, [&] { return one.run(kPerRound); });
  must(many.sealed_all() && one.sealed_all(), "a copy was not sealed");
  cycles += fmt::format("{:<62} {:8.0f} {:8.0f}\n",
                        "srtp_gcm 1328 B out of place, 100 000 keys, one", cost.ours, cost.unit);
  return print({"srtp_gcm 1328 B, 100 000 clients' own keys / one key", cost.ours / cost.unit, 1.35,
                1.20, "{:.2f}"});
}

// RTP's header is not encrypted: sizes are of what is.
bool measure(unsigned rounds, const BridgeParts& parts, std::optional<std::size_t> only) {
  rte_mempool* pool = parts.pool;
  bool good = true;
  fmt::print("{:<64} {:>10} {:>9} {:>9}  {}\n", "figure", "value", "floor", "goal", "verdict");
  std::string cycles;
  for (const unsigned size : {64u, 512u, 1'328u}) {
    if (only.value_or(0) != 0) break;
    Frames frames(pool, size + kHeader);
    Frames others(pool, size + kHeader);  // whose numbers are nothing to the stage
    StageLoop<Nowhere> stage(ProtectProfile::SrtpGcm, 1);
    BareGcm bare;
    const Cost cost = interleaved(
        rounds, [&] { return stage.run(frames, kPerRound); },
        [&] { return bare.run(others, kPerRound); });
    must(stage.sealed_all(rounds * kPerRound), "the stage did not seal every packet");
    good &= print({fmt::format("srtp_gcm {} B: stage less the bare call, cycles", size),
                   cost.ours - cost.unit, 60, 40, "{:.0f}"});
    cycles += fmt::format("{:<62} {:8.0f} {:8.0f}\n", fmt::format("srtp_gcm {} B, bare call", size),
                          cost.ours, cost.unit);
  }
  for (const Peer& peer : kPeers) {
    if (only.value_or(1) != 1) break;
    Frames frames(pool, peer.payload + kHeader);
    Frames others(pool, peer.payload + kHeader);
    StageLoop<Nowhere> stage(peer.profile, peer.bursts_a_turn);
    Libsrtp libsrtp(peer.profile);
    const Cost cost = interleaved(
        rounds, [&] { return stage.run(frames, kPerRound); },
        [&] { return libsrtp.run(others, kPerRound / 8); });
    must(stage.sealed_all(rounds * kPerRound), "the stage did not seal every packet");
    const std::string name = fmt::format("{} {} B", peer.name, peer.payload);
    good &= print_at_least({fmt::format("{}: libsrtp2 / stage", name), cost.unit / cost.ours,
                            peer.floor, peer.goal, "{:.1f}"});
    cycles += fmt::format("{:<62} {:8.0f} {:8.0f}\n", name + ", libsrtp2", cost.ours, cost.unit);
  }
  if (only.value_or(2) == 2) good &= measure_esp(rounds, pool, cycles);
  if (only.value_or(3) == 3) good &= measure_path(rounds, parts, cycles);
  if (only.value_or(4) == 4) good &= measure_isolation(rounds, pool, cycles);
  fmt::print("\n{:<62} {:>8} {:>8}\n{}", "cycles a packet", "stage", "unit", cycles);
  fmt::print("time stamp counter: {:.3f} MHz\n", static_cast<double>(rte_get_tsc_hz()) / 1e6);
  return good;
}

int main_of(const Arguments& arguments) {
  if (!start(arguments, 512ull << 20)) return 2;
  BridgeGround ground;
  return measure(arguments.rounds, ground.parts(), arguments.only) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace castgate::bench

int main(int argc, char** argv) {
  return castgate::bench::main_of(castgate::bench::read_arguments(argc, argv, 5));
}
