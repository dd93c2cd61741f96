// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <termios.h>

namespace castgate {

// The terminal's second screen, keys unbuffered and unechoed; puts back what it found. One at a
// time: it catches SIGINT and SIGTERM.
class Screen {
 public:
  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  // Lines between the first and the foot.
  static unsigned rows();
  // As much of `text` as there are rows: the terminal must not scroll. `foot` is the last line.
  static void draw(const std::string& text, const std::string& foot);

 private:
  termios before_{};
  bool restore_ = false;
};

inline constexpr char kNoKey = '\0';
inline constexpr char kInterrupted = 'q';

// A key that was pressed, as a small letter; kNoKey after `span`, kInterrupted at a signal. Without
// `watch_keys` standard input is left alone.
char wait_for_key(std::chrono::milliseconds span, bool watch_keys);

}  // namespace castgate
