// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/contract/commands.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/placement.h"
#include "dataplane/replicate/client_fan.h"
#include "dataplane/replicate/client_roster.h"
#include "dataplane/replicate/fan_links.h"
#include "dataplane/replicate/header_writer.h"
#include "dataplane/replicate/output_template.h"
#include "dataplane/stage.h"
#include "dataplane/transmit/transmit_stage.h"

namespace castgate {

struct ReplicateParts {
  const Spec& spec;
  const std::vector<bool>& mine;          // by stream index: does this worker serve it
  std::span<Port* const> ports;           // by port index, for MACs and capabilities
  rte_mempool* pool = nullptr;            // this worker's, for headers and copies
  rte_mempool* heads = nullptr;           // for headers to clients
  const ClientRoster* clients = nullptr;  // null: no stream has a unicast output
  std::size_t streams = 0;                // most there will ever be
  unsigned worker = 0;
  std::span<const FanHelpers> helpers;  // by stream index; none: no stream has any
  std::span<const FanLink> links;       // by worker
};

// Sends each packet to every output of its stream: headers are written before the UDP payload,
// which is untouched. One output is written in place. More share the payload by reference where
// every port of the stream sends chains and the payload is worth it; else all but the last get a
// copy. Clients of unicast outputs come after the groups, some each turn; of a stream whose clients
// are split among workers (fan_workers) this one serves the first part, or another one.
class ReplicateStage final : public Stage, private RefusalWitness {
 public:
  ReplicateStage(const ReplicateParts& parts, TransmitStage& transmit);
  ~ReplicateStage() override;

  void process(std::span<rte_mbuf* const> burst, Instant now) noexcept override;
  // Packets that another worker processed, for our part of their clients.
  void take_part(std::span<rte_mbuf* const> burst, Instant now) noexcept;

  struct Outputs {
    std::uint32_t count = 0;
    bool chains = false;     // every port can send them
    bool plain = false;      // one output, and that is_plain()
    bool plain_raw = false;  // or is_plain_raw()
    OutputTemplate* first = nullptr;
    FanStream* fan = nullptr;  // null: no unicast output
    // Where outputs of the stream protect differently: those of each rendition.
    Outputs* by_rendition = nullptr;
  };
  // A stream's outputs, made by the control thread: none, or other ones.
  struct Change {
    Outputs outputs;
    std::unique_ptr<OutputTemplate[]> templates;
    std::unique_ptr<FanStream> fan;
    std::unique_ptr<ClientSealer> sealer;        // for a worker that has none
    std::vector<Outputs> renditions;             // where they differ
    std::array<std::int8_t, kMaxOutputs> was{};  // by output: which it was, or -1
  };
  struct ChangeParts {
    std::span<const PortSpec> specs;
    std::span<Port* const> ports;
    const ClientRoster::Parts* clients = nullptr;
    std::uint16_t stream = 0;
    std::span<const std::uint8_t> helpers;
  };
  static Change make_change(const StreamSpec& stream, const StreamSpec* was,
                            const ChangeParts& parts);
  // The same for a worker that only serves a part of its clients, from 1 on.
  static Change make_part(const StreamSpec& stream, unsigned part, const ChangeParts& parts);
  // Outputs that were there go on counting; what they were is in `change` afterwards.
  void install(std::size_t stream, Change& change) noexcept;

  // A client comes, goes, or is reached another way.
  void command(const Command& command) noexcept;
  // The turn's end: clients that still wait for packets get some of them.
  void work() noexcept {
    if (!fan_.idle()) fan_.work();
    links_.flush();
    bin_.flush();
  }
  // All of them.
  void finish() noexcept {
    fan_.finish();
    links_.flush();
    bin_.flush();
  }
  bool idle() const noexcept { return fan_.idle(); }
  std::uint64_t held() const noexcept { return fan_.held() + links_.waiting(); }
  // Packets for other workers' parts.
  std::uint64_t handed_over() const noexcept { return links_.handed_over(); }

  // Null: to nobody.
  void show_to(Tap* tap) noexcept;

  std::uint64_t created() const noexcept { return created_.get(); }
  const DropCounters& drops() const noexcept { return bin_.counters(); }
  void snapshot(std::size_t stream, StreamSnapshot& into) const;
  // Adds what this worker's part of the clients got.
  void snapshot_clients(std::size_t stream, StreamSnapshot& into) const;

  // Payloads from here on are shared, smaller ones are copied (DECISIONS.md).
  static constexpr unsigned kCopyThreshold = 256;

 private:
  static Outputs outputs_of(std::span<const OutputSpec> wanted, std::span<Port* const> ports,
                            OutputTemplate* first);
  static std::vector<Outputs> split(const StreamSpec& stream, std::span<Port* const> ports,
                                    Outputs& all);

  void show(std::span<rte_mbuf* const> burst) noexcept;
  void send_plain(rte_mbuf* packet, OutputTemplate& output) noexcept;
  void send_plain_raw(rte_mbuf* packet, OutputTemplate& output) noexcept;
  void send_to_many(rte_mbuf* packet, const PacketTag& tag, const Outputs& outputs) noexcept;
  void send_in_place(rte_mbuf* packet, const PacketTag& tag, const ReceivedHeaders& received,
                     OutputTemplate& output) noexcept;
  void send_copy(rte_mbuf* packet, const PacketTag& tag, const ReceivedHeaders& received,
                 OutputTemplate& output) noexcept;
  void share(rte_mbuf* packet, const PacketTag& tag, const ReceivedHeaders& received,
             const Outputs& outputs) noexcept;
  void send_to_clients(rte_mbuf* packet, const PacketTag& tag, const Outputs& outputs,
                       Instant now) noexcept;
  unsigned hand_over(const rte_mbuf* packet, FanStream& fan) noexcept;
  void not_sent(std::span<rte_mbuf* const> packets) noexcept override;
  void count_missing(rte_mbuf* packet, OutputTemplate& output, DropReason reason) noexcept;

  Tap* tap_ = nullptr;
  rte_mempool* pool_;
  TransmitStage& transmit_;
  std::vector<Outputs> outputs_;  // by stream index
  std::vector<OutputTemplate> templates_;
  std::vector<std::unique_ptr<OutputTemplate[]>> later_;  // by stream index: after the start
  std::vector<std::vector<Outputs>> renditions_;          // by stream index, where they differ
  std::vector<std::unique_ptr<FanStream>> fans_;          // by stream index, where it has clients
  Counter created_;
  DropBin bin_;
  ClientFan fan_;
  FanLinks links_;
};

}  // namespace castgate
