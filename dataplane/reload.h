// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/contract/reload.h"
#include "dataplane/worker.h"
#include "drivers/crypto_device.h"

namespace castgate {

struct ReloadParts {
  const Spec& before;
  const Spec& after;  // arranged()
  std::span<const std::unique_ptr<Worker>> workers;
  std::span<const std::uint8_t> worker_of_stream;  // of `after`
  std::span<Port* const> ports;
  std::uint64_t fingerprint_seed = 0;
  const ClientRoster* clients = nullptr;       // of `after`; null: no stream has a unicast output
  std::span<const FanHelpers> helpers_before;  // by stream index; none: no stream has any
  std::span<const FanHelpers> helpers;         // likewise, of `after`
  CryptoDevice* crypto = nullptr;
};

// Streams that come, change and go while workers run, in steps over all workers: first each has
// what is new of its streams, then packets are looked up in the new table, and once none that was
// looked up in the old one is on its way any more, what goes is let go; last the parts of clients
// that other workers had, when what their streams still held has come to them. Made and carried out
// by the control thread; workers only swap pointers and hand over windows.
class Reload {
 public:
  explicit Reload(const ReloadParts& parts);

  // Blocks until all workers have done it. After an error a worker may still use what is here.
  Result<void> carry_out();

  const ReloadReport& report() const noexcept { return report_; }
  bool changes_nothing() const noexcept {
    return report_.added + report_.removed + report_.changed == 0;
  }
  // The workers' from now on: for whoever outlives them.
  std::unique_ptr<FlowTable> take_flows() noexcept { return std::move(flows_); }

 private:
  using Step = std::vector<ReloadJob>;  // by worker

  Result<void> carry_out(Step& step);
  void add_parts(const ReloadParts& parts, std::uint32_t stream, bool comes);
  void let_hand_overs_end() const;

  std::span<const std::unique_ptr<Worker>> workers_;
  std::unique_ptr<FlowTable> flows_;
  Step coming_;
  Step looking_up_;
  Step going_;
  Step parting_;  // as going_: of streams that other workers merge
  ReloadReport report_;
};

}  // namespace castgate
