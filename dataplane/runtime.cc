// SPDX-License-Identifier: Apache-2.0
#include "dataplane/contract/runtime.h"

namespace castgate {

Result<std::unique_ptr<Runtime>> start_runtime(const Spec& /*spec*/) {
  return fail("run: this build replays captures only");
}

}  // namespace castgate
