// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/base/failover/merge_config.h"

namespace castgate::bench {

inline constexpr unsigned kTsPayload = 1316;  // seven TS packets

// What a packet without a number costs from its payload to the decision: fingerprint and merge, two
// legs, 1 % lost on each, one packet in twenty the same null packet.
class FingerprintStep {
 public:
  explicit FingerprintStep(MergeRelease release);
  ~FingerprintStep();
  // Returns how many packets were offered.
  std::uint64_t run(std::uint64_t packets);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace castgate::bench
