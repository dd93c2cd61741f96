// SPDX-License-Identifier: Apache-2.0
// The main of every test program. Tests that need DPDK start it once, in their fixture.
#include <gtest/gtest.h>

#if defined(__SANITIZE_ADDRESS__)
// DPDK keeps its own start-up state until the process ends; that is no leak of ours.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __lsan_default_suppressions() {
  return "leak:rte_eal_init\nleak:librte_\n";
}
#endif

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
