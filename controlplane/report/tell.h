// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <utility>

namespace castgate {

// For whoever looks at standard error. Where nobody can (a closed terminal, a pipe without a
// reader, a full disk) what runs goes on: fmt::print would throw.
template <class... Arguments>
void tell(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  const std::string text = fmt::format(format, std::forward<Arguments>(arguments)...);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

}  // namespace castgate
