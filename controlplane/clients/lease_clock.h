// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/base/instant.h"

namespace castgate {

// Time that stood still while the control thread did: nobody's lease ends because we did not
// listen.
class LeaseClock {
 public:
  Instant at(Instant now) const noexcept { return Instant{now.ns - stood_.count()}; }
  // The control thread was away for so long: every deadline moves by it.
  void stand_still(Nanoseconds pause) noexcept { stood_ += pause; }

 private:
  Nanoseconds stood_{0};
};

}  // namespace castgate
