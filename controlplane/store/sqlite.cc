// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/sqlite.h"

#include <fmt/format.h>

namespace castgate {

void SqliteStatement::bind(int place, std::string_view text) {
  sqlite3_bind_text(statement_.get(), place, text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
}

void SqliteStatement::bind(int place, std::span<const std::uint8_t> bytes) {
  sqlite3_bind_blob(statement_.get(), place, bytes.data(), static_cast<int>(bytes.size()),
                    SQLITE_STATIC);
}

void SqliteStatement::bind(int place, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), place, number);
}

Result<bool> SqliteStatement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  sqlite3_reset(statement_.get());
  if (result == SQLITE_DONE) return false;
  return fail(sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
}

std::string_view SqliteStatement::text(int column) const {
  const void* text = sqlite3_column_blob(statement_.get(), column);
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(text), static_cast<std::size_t>(length)};
}

std::span<const std::uint8_t> SqliteStatement::bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(length)};
}

std::int64_t SqliteStatement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::unexpected<Error> Sqlite::failure() const {
  const int code = sqlite3_errcode(database_.get());
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return fail(
        fmt::format("{}: another castgate uses it; give each its own "
                    "appliance.state_dir",
                    path_));
  }
  return fail(fmt::format("{}: {}", path_, sqlite3_errmsg(database_.get())));
}

Result<Sqlite> Sqlite::open(const std::string& path) {
  Sqlite made(path);
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  made.database_.reset(database);
  if (result != SQLITE_OK) return made.failure();
  if (auto good = made.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                           "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256; "  // KiB
                           "BEGIN IMMEDIATE; COMMIT");
      !good) {
    return std::unexpected(good.error());
  }
  return made;
}

Result<void> Sqlite::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
  return {};
}

Result<SqliteStatement> Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement,
                         nullptr) != SQLITE_OK) {
    return failure();
  }
  return SqliteStatement(statement);
}

}  // namespace castgate
