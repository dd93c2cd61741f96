// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/pipeline.h"
#include "tests/bench/bridge_scene.h"
#include "tests/bench/generator_port.h"

namespace castgate::bench {

// One stream on two legs, merged, and sent to its clients: the whole of a worker's pipeline.
class PathScene final : private ClassifyExits, private EventSink {
 public:
  static constexpr unsigned kClients = 1'000;

  // `protect`: of what leaves; none: in the clear.
  PathScene(const ProtectSpec& protect, const BridgeParts& parts);
  ~PathScene() override;

  // So many packets of each leg; how many copies they became.
  std::uint64_t run(std::uint64_t packets);
  // Empty: every client was counted every packet.
  std::string audit();

 private:
  bool hand_over(rte_mbuf*, unsigned) noexcept override { return false; }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
  void report(const Event&) noexcept override {}

  GeneratorPort red_;
  GeneratorPort blue_;
  Spec spec_;
  std::vector<Port*> ports_;
  std::optional<ClientRoster> roster_;
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<ClientPlace> places_;
  Instant now_{0};
  std::uint64_t packets_ = 0;
};

}  // namespace castgate::bench
