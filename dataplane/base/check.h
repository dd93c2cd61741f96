// SPDX-License-Identifier: Apache-2.0
// Two assertions, no third. Both name a programmer's error; neither may judge a packet.
#pragma once

#include <cstdio>
#include <cstdlib>

// Holds in every build. For start-up, the control plane, and once per burst.
#define CG_CHECK(condition)                                                                \
  do {                                                                                     \
    if (__builtin_expect(!(condition), 0)) {                                               \
      std::fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (false)

// Debug builds only. For the per-packet loop.
#ifdef NDEBUG
#define CG_DCHECK(condition) ((void)0)
#else
#define CG_DCHECK(condition) CG_CHECK(condition)
#endif
