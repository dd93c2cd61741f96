// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/store/bulk_thread.h"
#include "dataplane/base/error.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Which ESP sequence numbers each key has given out, in `state_dir`/esp: receivers refuse those
// that they have seen, and the same number twice would give away what it seals. Numbers are
// remembered as a block before the first of it is used; a start goes on behind the last block.
// Where the disk refuses, workers go on with IVs by chance, and the log says so.
class NumberLedger {
 public:
  static constexpr std::uint64_t kBlock = 1u << 20;  // a second of a million packets

  // Of what cannot be read nothing is believed.
  explicit NumberLedger(const std::string& state_dir);

  // Gives each ESP key of the spec its numbers, those that it has in `running` or new ones, none
  // yet to those whose epoch may not begin; waits for the disk. After the EpochLedger's.
  void assign(Spec& spec, const Spec* running);
  // Every turn of the control thread: a key that has used half of its block gets the next one, once
  // the bulk thread has it on the disk.
  void turn();

 private:
  struct Held {
    std::string name;
    std::shared_ptr<NumberLease> lease;
    std::shared_ptr<EpochLease> epochs;
    std::uint32_t epoch;

    bool is_low() const noexcept;
  };

  std::shared_ptr<NumberLease> begin(const ProtectSpec& protect, const std::string& name,
                                     bool may_seal);
  Result<void> write() const;
  void extend();
  void complain(const Error& why);

  std::string path_;
  std::mutex mutex_;                           // of all that follows, but for busy_
  std::map<std::string, std::uint64_t> ends_;  // by the key's name
  std::vector<Held> held_;
  std::optional<Error> fault_;
  std::atomic<bool> busy_{false};
  BulkThread bulk_;  // last: its jobs use the others
};

}  // namespace castgate
