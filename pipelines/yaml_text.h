// SPDX-License-Identifier: Apache-2.0
// What a file must be before a YAML parser may see it: small, text, no tabs in front.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"
#include "pipelines/complaints.h"

namespace castgate {

inline constexpr std::size_t kMaxFileBytes = 4u << 20;

// The parser queues everything inside an unfinished bracket, at about 270 bytes a token: without
// this limit 4 MiB of '[' cost 930 MB.
inline constexpr std::size_t kMaxFlowMarks = 300'000;

// The parser folds a text of many lines slowly: 2 million lines cost 1.5 s.
inline constexpr std::size_t kMaxLines = 300'000;

struct TextFault {
  Place place;
  std::string what;
};

// The file's bytes. Reads at most kMaxFileBytes + 1 of them, whatever the file's size.
Result<std::string> read_text_file(const std::string& path);

// The first thing that makes `text` no candidate for YAML; nothing where all is well.
std::optional<TextFault> find_text_fault(std::string_view text);

bool is_utf8(std::string_view text) noexcept;

}  // namespace castgate
