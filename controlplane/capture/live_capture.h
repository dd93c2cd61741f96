// SPDX-License-Identifier: Apache-2.0
// castgate capture, as the running appliance sees it. Over the control socket:
//   {"capture": {"stages": ["rx", …], "stream": S, "port": P, "snaplen": N, "count": N,
//                "milliseconds": N}}     all but stages may be left out
//     ->  {"bytes": N} and N bytes of pcapng, again and again, none once a second at the least;
//         {"packets": N, "missed": N} at the end
#pragma once

#include <memory>
#include <string_view>

#include "controlplane/conductor/control_socket.h"
#include "dataplane/contract/runtime.h"

namespace castgate {

// The captures of a running appliance, one at a time. Outlives their streams.
class LiveCaptures {
 public:
  explicit LiveCaptures(const Spec& spec) : spec_(spec) {}

  // Null: there are no workers any more, or not yet.
  void set_runtime(Runtime* runtime) noexcept { runtime_ = runtime; }

  // Null where the request is about no capture; else the capture, or what is wrong.
  std::unique_ptr<ReplyStream> open(std::string_view request);

  // Now and then: ends what could not be ended when its time had come.
  void turn();

 private:
  class Stream;

  const Spec& spec_;
  Runtime* runtime_ = nullptr;
  bool busy_ = false;
  bool stop_owed_ = false;  // a capture ended while the ring for commands was full
};

}  // namespace castgate
