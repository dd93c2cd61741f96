// SPDX-License-Identifier: Apache-2.0
#include "pipelines/yaml_text.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <memory>

namespace castgate {
namespace {

// Bytes of the UTF-8 character that `text` begins with; 0 where it is none (RFC 3629 4).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return overlong || beyond ? 0 : length;
}

bool is_control(char c) noexcept {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

// Walks the text once and keeps the place, the indentation's state and the count of brackets.
class TextWalk {
 public:
  explicit TextWalk(std::string_view text) : text_(text) {}

  std::optional<TextFault> run() {
    while (at_ < text_.size()) {
      if (auto fault = step()) return fault;
    }
    return {};
  }

 private:
  std::optional<TextFault> step() {
    const char c = text_[at_];
    const std::size_t length = utf8_length(text_.substr(at_));
    if (length == 0 || is_control(c)) {
      return TextFault{place_, fmt::format("byte 0x{:02x} is not UTF-8 text",
                                           static_cast<unsigned>(static_cast<unsigned char>(c)))};
    }
    if (c == '[' || c == '{' || c == ',') ++flow_marks_;
    if (flow_marks_ > kMaxFlowMarks) {
      return TextFault{place_, fmt::format("more than {} brackets and commas", kMaxFlowMarks)};
    }
    if (place_.line > kMaxLines)
      return TextFault{place_, fmt::format("more than {} lines", kMaxLines)};
    if (auto fault = check_indentation(c)) return fault;
    at_ += length;
    if (c == '\n') {
      place_ = {place_.line + 1, 1};
    } else {
      ++place_.column;
    }
    return {};
  }

  std::optional<TextFault> check_indentation(char c) {
    if (c == '\n' || c == '\r') {
      indentation_ = true;
      tab_.reset();
    } else if (indentation_ && c == '\t') {
      if (!tab_) tab_ = place_;
    } else if (indentation_ && c != ' ') {
      indentation_ = false;
      if (tab_ && c != '#') return TextFault{*tab_, "tab in the indentation: use spaces"};
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Place place_;
  std::size_t flow_marks_ = 0;
  bool indentation_ = true;
  std::optional<Place> tab_;  // first tab of this line's indentation
};

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rbe"), close);
  const auto why = [] { return std::generic_category().message(errno); };
  if (!file) return fail("cannot be opened: " + why());
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return fail("cannot be read: " + why());
  if (text.size() > kMaxFileBytes) return fail("larger than 4 MiB");
  return text;
}

std::optional<TextFault> find_text_fault(std::string_view text) {
  if (text.size() > kMaxFileBytes) return TextFault{{}, "larger than 4 MiB"};
  return TextWalk(text).run();
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace castgate
