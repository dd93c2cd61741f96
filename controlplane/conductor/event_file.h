// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/error.h"

namespace castgate {

// Appends lines to a file, a FIFO or standard error, and never waits for a reader or a full disk:
// lines that do not go yet are kept, some megabytes of them, and beyond that refused.
class EventFile {
 public:
  static constexpr std::size_t kMostKept = 8u << 20;  // bytes

  // `path`: created where it is not there; /dev/stderr is ours, whatever it is connected to.
  static Result<EventFile> open(const std::string& path);

  // One line, newline included. False where there is no room for it.
  bool write(std::string_view line);
  // Hands on what goes without waiting, up to some hundred kilobytes.
  void flush();
  void finish();  // all that goes without waiting
  // Whoever renamed the file gets what was written until now; the path begins anew.
  Result<void> reopen();

  const std::string& fault() const noexcept { return fault_; }  // of the last write; empty if good

 private:
  EventFile(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  bool flush_some();

  std::string path_;
  UniqueFd file_;
  std::string kept_;
  std::size_t written_ = 0;  // of kept_
  std::string fault_;
};

}  // namespace castgate
