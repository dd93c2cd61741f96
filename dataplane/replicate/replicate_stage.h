// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/contract/snapshot.h"
#include "dataplane/replicate/header_writer.h"
#include "dataplane/replicate/output_template.h"
#include "dataplane/stage.h"
#include "dataplane/transmit/transmit_stage.h"

namespace castgate {

// Sends each packet to every output of its stream: headers are written before the UDP payload,
// which is untouched. One output is written in place. More share the payload by reference where
// every port of the stream sends chains and the payload is worth it; else all but the last get a
// copy.
class ReplicateStage final : public Stage {
 public:
  // `ports`: by port index, for MACs and capabilities. `pool`: this worker's, for headers and
  // copies. `streams`: most there will ever be.
  ReplicateStage(const Spec& spec, std::span<Port* const> ports, rte_mempool* pool,
                 TransmitStage& transmit, std::size_t streams = 0);

  void process(std::span<rte_mbuf* const> burst, Instant now) noexcept override;

  struct Outputs {
    std::uint32_t count = 0;
    bool chains = false;  // every port can send them
    bool plain = false;   // one output, and that is_plain()
    OutputTemplate* first = nullptr;
  };
  // A stream's outputs, made by the control thread: none, or other ones.
  struct Change {
    Outputs outputs;
    std::unique_ptr<OutputTemplate[]> templates;
    std::array<std::int8_t, kMaxOutputs> was{};  // by output: which it was, or -1
  };
  static Change make_change(const StreamSpec& stream, const StreamSpec* was,
                            std::span<const PortSpec> specs, std::span<Port* const> ports);
  // Outputs that were there go on counting; what they were is in `change` afterwards.
  void install(std::size_t stream, Change& change) noexcept;

  // Null: to nobody.
  void show_to(Tap* tap) noexcept;

  std::uint64_t created() const noexcept { return created_.get(); }
  const DropCounters& drops() const noexcept { return bin_.counters(); }
  void snapshot(std::size_t stream, StreamSnapshot& into) const;

  // Payloads from here on are shared, smaller ones are copied (DECISIONS.md).
  static constexpr unsigned kCopyThreshold = 256;

 private:
  static Outputs outputs_of(const std::vector<OutputSpec>& wanted, std::span<Port* const> ports,
                            OutputTemplate* first);

  void send_plain(rte_mbuf* packet, OutputTemplate& output) noexcept;
  void send_to_many(rte_mbuf* packet, const PacketTag& tag, const Outputs& outputs) noexcept;
  void send_in_place(rte_mbuf* packet, const PacketTag& tag, const ReceivedHeaders& received,
                     OutputTemplate& output) noexcept;
  void send_copy(rte_mbuf* packet, const PacketTag& tag, const ReceivedHeaders& received,
                 OutputTemplate& output) noexcept;
  void send_shared(rte_mbuf* packet, const PacketTag& tag, const ReceivedHeaders& received,
                   const Outputs& outputs) noexcept;
  void count_missing(rte_mbuf* packet, OutputTemplate& output, DropReason reason) noexcept;

  Tap* tap_ = nullptr;
  rte_mempool* pool_;
  TransmitStage& transmit_;
  std::vector<Outputs> outputs_;  // by stream index
  std::vector<OutputTemplate> templates_;
  std::vector<std::unique_ptr<OutputTemplate[]>> later_;  // by stream index: after the start
  Counter created_;
  DropBin bin_;
};

}  // namespace castgate
