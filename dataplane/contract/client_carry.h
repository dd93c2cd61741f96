// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/contract/spec.h"

namespace castgate {

// Do the clients of an output go on over a reload, and lose nothing? They do where what each of
// them gets is made as before: how many there may be, how fast each is served, how packets are
// copied, and the keys that seal for all of them are nothing of theirs.
inline bool keeps_clients(const UnicastSpec& before, const UnicastSpec& after) {
  UnicastSpec same = before;
  same.max_clients = after.max_clients;
  same.copy_threshold = after.copy_threshold;
  same.too_big = after.too_big;
  // What each has used of its rate is kept where there is one.
  if ((before.max_rate_bps == 0) == (after.max_rate_bps == 0)) {
    same.max_rate_bps = after.max_rate_bps;
  }
  if (!before.protect.is_isolated()) {
    same.protect.key_file = after.protect.key_file;
    same.protect.keys = after.protect.keys;
    same.protect.max_packets = after.protect.max_packets;
    same.protect.rekey_packets = after.protect.rekey_packets;
    same.protect.max_time = after.protect.max_time;
    same.protect.rekey_time = after.protect.rekey_time;
  }
  return same == after;
}

}  // namespace castgate
