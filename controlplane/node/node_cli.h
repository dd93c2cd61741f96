// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace castgate {

// The program `castgate-node`; the exit code.
int run_node(int argc, const char* const* argv);

}  // namespace castgate
