// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Which SSRCs each key has had. SRTP's numbers begin anew with each start of castgate, so that a
// key that stays needs another SSRC: the same two again would give away what they seal.
class SsrcLedger {
 public:
  // A file that is not there is an empty ledger; lines that are none are kept out and told of.
  static Result<SsrcLedger> read(const std::string& path);

  // Gives each protected stream an SSRC that none of its keys had: the one that it asks for, or the
  // next that is free. A stream that `running` has with the same keys keeps its own.
  void assign(Spec& spec, const Spec* running);
  // Durable when it returns. An error: what was assigned may come again after the next start.
  Result<void> write(const std::string& path) const;
  bool changed() const noexcept { return changed_; }

 private:
  bool is_free(const KeyBytes& key, std::uint32_t ssrc) const;
  std::uint32_t choose(const StreamSpec& stream, const Spec* running) const;

  std::map<std::string, std::set<std::uint32_t>> used_;  // by the key's name
  bool changed_ = false;
};

// What a key is called where it may be seen: says nothing about it.
std::string key_name(const KeyBytes& key);

// SSRCs by chance, where there is no ledger.
void assign_by_chance(Spec& spec, const Spec* running);

// The ledger in the state directory, read, told of this start or reload, and durable again before
// anything is sealed. Where the disk refuses, by chance, and the log says so.
void assign_ssrcs(Spec& spec, const Spec* running);

}  // namespace castgate
