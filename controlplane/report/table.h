// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace castgate {

enum class Align : unsigned char { Left, Right };

struct Column {
  std::string title;
  Align align = Align::Right;
};

// Aligned text: two spaces between columns, each as narrow as its contents, no trailing blanks.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add_row(std::vector<std::string> cells);  // one cell per column
  bool empty() const noexcept { return rows_.empty(); }
  std::string to_string() const;  // each line ends in a newline

 private:
  void print(std::string& out, std::size_t column, std::size_t width,
             const std::string& cell) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace castgate
