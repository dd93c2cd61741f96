// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/table.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace castgate {

void Table::add_row(std::vector<std::string> cells) {
  CG_CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

void Table::print(std::string& out, std::size_t column, std::size_t width,
                  const std::string& cell) const {
  const std::size_t blanks = width - std::min(width, cell.size());
  if (column != 0) out += "  ";
  if (columns_[column].align == Align::Right) out.append(blanks, ' ');
  out += cell;
  if (columns_[column].align == Align::Left) out.append(blanks, ' ');
}

std::string Table::to_string() const {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns_) lines[0].push_back(column.title);
  lines.insert(lines.end(), rows_.begin(), rows_.end());

  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());

  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) print(out, i, widths[i], line[i]);
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

}  // namespace castgate
