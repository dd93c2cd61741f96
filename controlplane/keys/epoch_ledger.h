// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/store/bulk_thread.h"
#include "dataplane/base/error.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Which keys of key files have begun to seal, in `state_dir`/epochs, so that a start goes on with
// the newest of them. A key is remembered before it may seal; until then the one before goes on.
// Where the disk refuses, keys follow each other all the same, and the log says so: a later start
// may seal with one again, under numbers of its own.
class EpochLedger {
 public:
  // Of what cannot be read nothing is believed.
  explicit EpochLedger(const std::string& state_dir);

  // Says of each set of keys in the spec which one seals: that which does in `running`, else the
  // newest that is remembered, else the first; waits for the disk.
  void assign(Spec& spec, const Spec* running);
  // Every turn of the control thread: a key whose time has come may seal, once the bulk thread has
  // it on the disk; the log says which ones do.
  void turn();

 private:
  struct Held {
    std::string file;
    std::vector<std::pair<std::uint32_t, std::string>> names;  // of its keys, by epoch
    std::shared_ptr<EpochLease> lease;
    std::uint32_t told;  // the epoch of which the log knows
    bool told_overdue = false;

    bool wants() const noexcept { return lease->wanted() > lease->allowed(); }
  };

  std::size_t first_of(const ProtectSpec& protect, const Spec* running) const;
  Result<void> write() const;
  void allow();
  static void tell(Held& held);

  std::string path_;
  std::mutex mutex_;             // of all that follows, but for busy_
  std::set<std::string> begun_;  // names of keys
  std::vector<Held> held_;
  std::optional<Error> fault_;
  std::atomic<bool> busy_{false};
  BulkThread bulk_;  // last: its jobs use the others
};

}  // namespace castgate
