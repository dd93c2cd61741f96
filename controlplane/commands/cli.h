// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace castgate {

// The whole program: arguments in, exit code out.
int run_cli(int argc, const char* const* argv);

}  // namespace castgate
