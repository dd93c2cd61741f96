// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <system_error>
#include <utility>

namespace castgate {

// What went wrong and, where there is one, the cure: one line for a person, no trailing newline.
struct Error {
  std::string text;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string text) {
  return std::unexpected(Error{std::move(text)});
}

// What the last system call of this thread failed of.
inline std::string errno_text() {
  return std::generic_category().message(errno);
}

}  // namespace castgate
