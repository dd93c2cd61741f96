// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <span>
#include <string>

#include "dataplane/base/error.h"

namespace castgate {

// A file, or standard output for "-", that grows at its end. close() says whether all is there.
class ByteFile {
 public:
  Result<void> open(const std::string& path) {
    path_ = path;
    file_.reset(path == "-" ? stdout : std::fopen(path.c_str(), "wbe"));
    return file_ ? Result<void>{} : fail(fmt::format("{}: {}", path, errno_text()));
  }
  // False once something could not be written.
  bool write(std::span<const std::byte> bytes) {
    if (error_.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
      error_ = errno_text();
    }
    return error_.empty();
  }
  // What was written can be read now.
  bool flush() {
    if (error_.empty() && std::fflush(file_.get()) != 0) error_ = errno_text();
    return error_.empty();
  }
  Result<void> close() {
    flush();
    file_.reset();
    if (!error_.empty()) return fail(fmt::format("{}: {}", path_, error_));
    return {};
  }

 private:
  struct Closer {
    void operator()(std::FILE* file) const noexcept {
      if (file != stdout) std::fclose(file);
    }
  };

  std::string path_;
  std::string error_;  // the first one
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace castgate
