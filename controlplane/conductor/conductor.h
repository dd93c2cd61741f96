// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dataplane/base/error.h"
#include "dataplane/contract/runtime.h"

namespace castgate {

// The control thread's loop over a running data plane: every millisecond it reads events and punted
// frames and judges the workers' beats; it serves the control socket and the service manager.
class Conductor {
 public:
  // Claims the control socket, so a second appliance is refused before it touches a device.
  static Result<std::unique_ptr<Conductor>> open(const Spec& spec, const std::string& socket);
  ~Conductor();
  Conductor(const Conductor&) = delete;
  Conductor& operator=(const Conductor&) = delete;

  // What the file says now; nothing where it cannot take the place of what runs, which `read_again`
  // has told then.
  using ReadAgain = std::function<std::optional<Spec>(const Spec& running)>;

  // Until SIGTERM or SIGINT; then drains and returns the final counters. SIGHUP reads again.
  // `each_turn`: what else the thread does every millisecond.
  Snapshot run(
      Runtime& runtime, const ReadAgain& read_again, std::function<void()> each_turn = [] {});

 private:
  class Loop;
  explicit Conductor(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

}  // namespace castgate
