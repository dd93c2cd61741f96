// SPDX-License-Identifier: Apache-2.0
// SQLite with what castgate asks of it: statements that are made once, errors as texts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <sqlite3.h>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"

namespace castgate {

class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  // Places count from 1. Texts and bytes must outlive the step.
  void bind(int place, std::string_view text);
  void bind(int place, std::span<const std::uint8_t> bytes);
  void bind(int place, std::int64_t number);

  // True where a row stands ready, false at the end; then it can be bound and run anew.
  Result<bool> step();
  std::string_view text(int column) const;
  std::span<const std::uint8_t> bytes(int column) const;
  std::int64_t number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One file, for this process alone: another that has it open is told of in the error.
class Sqlite {
 public:
  // Written ahead (WAL), so that neither kill nor power cut leaves half a transaction.
  static Result<Sqlite> open(const std::string& path);

  Result<void> run(const char* sql);
  Result<SqliteStatement> prepare(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
  };
  explicit Sqlite(std::string path) : path_(std::move(path)) {}
  std::unexpected<Error> failure() const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace castgate
