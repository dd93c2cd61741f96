// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace castgate {

// Keeps what the process writes to its standard error while it lives: DPDK and libbpf print there
// without being asked. A panic's last words still reach the terminal. At start and
// end only; one within another does nothing.
class StderrCapture {
 public:
  StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;
  ~StderrCapture();

  static void allow(bool allowed) noexcept;  // false: later ones let everything through
  static bool active() noexcept;
  std::string text() const;       // so far, at most 64 KiB
  std::string last_line() const;  // without its newline; empty if nothing was written

 private:
  bool mine_ = false;  // this one diverted it
};

}  // namespace castgate
