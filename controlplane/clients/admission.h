// SPDX-License-Identifier: Apache-2.0
// Whether another client still fits: the declared rates of what leaves by a port never exceed it.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/contract/clients.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Keeps the sum by port. Knows no client: its owner tells of each that comes and goes.
class Admission {
 public:
  // What groups take is taken before the first client.
  explicit Admission(const Spec& spec);

  // Nothing where one more client of this output fits; else an error that names the figures.
  Result<void> may_join(const Spec& spec, const ClientRoute& route) const;
  void joined(const Spec& spec, const ClientRoute& route) noexcept;
  // With the spec that it joined under.
  void left(const Spec& spec, const ClientRoute& route) noexcept;

  // Bits per second that are declared for what leaves by `port`.
  std::uint64_t declared(unsigned port) const noexcept { return out_[port]; }

 private:
  std::vector<std::uint64_t> out_;  // bits per second, by port
};

// What one client of this output takes at most, bits per second: the stream's declared rate, or the
// output's limit where that is less. 0: neither is said.
std::uint64_t rate_of_client(const Spec& spec, const ClientRoute& route) noexcept;

}  // namespace castgate
