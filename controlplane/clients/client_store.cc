// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_store.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <ranges>
#include <set>
#include <sys/stat.h>

#include "controlplane/store/sqlite.h"

namespace castgate {
namespace {

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS clients ("
    "output TEXT NOT NULL, address BLOB NOT NULL, udp_port INTEGER NOT NULL,"
    "id BLOB NOT NULL, door TEXT NOT NULL, lease INTEGER NOT NULL,"
    "boot TEXT NOT NULL, ends_after_boot INTEGER NOT NULL, ends_after_1970 INTEGER NOT NULL,"
    "PRIMARY KEY (output, address, udp_port)) WITHOUT ROWID";

constexpr std::chrono::seconds kAgainAfter{1};

// Doors' names live as long as the program.
std::string_view door_name(std::string_view text) {
  return text == "rest" ? "rest" : "control";
}

std::string full_name(const ClientEntry& client) {
  return client.name->stream + "." + client.name->output;
}

std::int64_t nanoseconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

StoreClock StoreClock::of_host() {
  StoreClock clock;
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::getline(boot, clock.boot);
  clock.now = [] {
    return StoreTime{nanoseconds_of(CLOCK_BOOTTIME), nanoseconds_of(CLOCK_REALTIME)};
  };
  return clock;
}

ClientStore::ClientStore(std::unique_ptr<Sqlite> database, StoreClock clock)
    : database_(std::move(database)), clock_(std::move(clock)) {}
ClientStore::~ClientStore() = default;

Result<std::unique_ptr<ClientStore>> ClientStore::open(const std::string& state_dir,
                                                       StoreClock clock) {
  std::error_code error;
  if (std::filesystem::create_directories(state_dir, error)) {
    std::filesystem::permissions(state_dir, std::filesystem::perms::owner_all, error);
  }
  if (error) {
    return fail(fmt::format("{}: {}; name another directory in appliance.state_dir", state_dir,
                            error.message()));
  }
  const std::string path = state_dir + "/clients.db";
  const mode_t before = ::umask(S_IRWXG | S_IRWXO);  // ids are rights
  auto database = Sqlite::open(path);
  ::umask(before);
  if (!database) return std::unexpected(database.error());
  auto store = std::unique_ptr<ClientStore>(
      new ClientStore(std::make_unique<Sqlite>(*std::move(database)), std::move(clock)));
  if (auto good = store->load(); !good) {
    return fail(
        fmt::format("{}: {}; move it away to begin without clients", path, good.error().text));
  }
  return store;
}

Result<void> ClientStore::load() {
  const StoreTime now = clock_.now();
  if (auto good = database_->run(kTables); !good) return good;
  auto rows = database_->prepare(
      "SELECT output, address, udp_port, id, door, lease, boot, ends_after_boot, ends_after_1970 "
      "FROM clients");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = rows->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    const auto address = rows->bytes(1);
    const auto id = rows->bytes(3);
    const std::int64_t udp_port = rows->number(2);
    StoredClient stored;
    stored.order.id.emplace();
    if (address.size() != 16 || id.size() != 16 || udp_port < 1 || udp_port > 65'535) {
      return fail("holds a client that is none");
    }
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(address, bytes.begin());
    std::ranges::copy(id, stored.order.id->bytes.begin());
    stored.order.output = rows->text(0);
    stored.order.client = {IpAddress::v6(bytes), static_cast<std::uint16_t>(udp_port)};
    stored.order.door = door_name(rows->text(4));
    stored.order.lease = Nanoseconds{rows->number(5)};
    stored.left = Nanoseconds{rows->text(6) == clock_.boot ? rows->number(7) - now.since_boot_ns
                                                           : rows->number(8) - now.since_1970_ns};
    stored.left = std::min(stored.left, stored.order.lease);
    if (stored.order.lease.count() != 0 && stored.left.count() <= 0) {
      forget(stored.order);
      continue;
    }
    stored_.push_back(std::move(stored));
  }
}

void ClientStore::keep(const ClientEntry& client, Nanoseconds left) {
  const StoreTime now = clock_.now();
  next_.rows.push_back(
      {.client = client.route.to,
       .id = client.id,
       .door = client.door,
       .lease = client.lease,
       .ends = {now.since_boot_ns + left.count(), now.since_1970_ns + left.count()},
       .output = full_name(client)});
}

void ClientStore::forget(const ClientEntry& client) {
  next_.rows.push_back({.client = client.route.to, .output = full_name(client)});
}

void ClientStore::forget(const JoinOrder& stored) {
  next_.rows.push_back({.client = stored.client, .output = stored.output});
}

void ClientStore::stood_still(Nanoseconds pause) {
  next_.moved += pause;
  move(next_, pause);
}

void ClientStore::move(Batch& batch, Nanoseconds pause) {
  for (Row& row : batch.rows) {
    row.ends.since_boot_ns += pause.count();
    row.ends.since_1970_ns += pause.count();
  }
}

// Where the disk does not keep up, or not at all.
void ClientStore::forget_overtaken(Batch& batch) {
  std::set<std::pair<std::string_view, Endpoint>> newer;
  std::vector<Row> kept;
  for (Row& row : std::views::reverse(batch.rows)) {
    if (newer.emplace(row.output, row.client).second) kept.push_back(row);
  }
  std::ranges::reverse(kept);
  batch.rows = std::move(kept);
}

void ClientStore::give() {
  given_ = std::exchange(next_, {});
  given_back_ = false;
  busy_.store(true);
  bulk_.give([this] {
    const auto written = write(given_);
    fault_ = written ? "" : written.error().text;
    busy_.store(false);
  });
}

std::optional<std::string> ClientStore::turn() {
  if (next_.rows.size() > most_rows_) {
    forget_overtaken(next_);
    most_rows_ = std::max<std::size_t>(65'536, 2 * next_.rows.size());
  }
  if (busy_.load()) return stands_;
  const std::int64_t now = clock_.now().since_boot_ns;
  if (!given_back_) look_at_given(now);
  if ((!next_.rows.empty() || next_.moved.count() != 0) && now >= again_at_ns_) give();
  return stands_;
}

void ClientStore::look_at_given(std::int64_t now) {
  given_back_ = true;
  stands_.reset();
  if (fault_.empty()) return;
  stands_ = std::exchange(fault_, {});
  move(given_, next_.moved);
  given_.rows.insert(given_.rows.end(), next_.rows.begin(), next_.rows.end());
  next_.rows = std::move(given_.rows);
  forget_overtaken(next_);
  next_.moved += given_.moved;
  again_at_ns_ = now + Nanoseconds(kAgainAfter).count();
}

void ClientStore::finish() {
  while (busy_.load()) std::this_thread::yield();
  static_cast<void>(turn());
  while (busy_.load()) std::this_thread::yield();
}

Result<void> ClientStore::write(const Batch& batch) {
  if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) return begun;
  auto written = write_rows(batch);
  if (written) written = database_->run("COMMIT");
  if (!written) static_cast<void>(database_->run("ROLLBACK"));
  return written;
}

Result<void> ClientStore::write_rows(const Batch& batch) {
  if (batch.moved.count() != 0) {
    const auto move = fmt::format(
        "UPDATE clients SET ends_after_boot = ends_after_boot + {0}, "
        "ends_after_1970 = ends_after_1970 + {0}",
        batch.moved.count());
    if (auto moved = database_->run(move.c_str()); !moved) return moved;
  }
  auto put = database_->prepare("INSERT OR REPLACE INTO clients VALUES (?,?,?,?,?,?,?,?,?)");
  if (!put) return std::unexpected(put.error());
  auto drop =
      database_->prepare("DELETE FROM clients WHERE output = ? AND address = ? AND udp_port = ?");
  if (!drop) return std::unexpected(drop.error());
  for (const Row& row : batch.rows) {
    SqliteStatement& statement = row.door.empty() ? *drop : *put;
    statement.bind(1, row.output);
    statement.bind(2, row.client.address.bytes());
    statement.bind(3, std::int64_t{row.client.udp_port});
    if (!row.door.empty()) {
      statement.bind(4, row.id.bytes);
      statement.bind(5, row.door);
      statement.bind(6, row.lease.count());
      statement.bind(7, clock_.boot);
      statement.bind(8, row.ends.since_boot_ns);
      statement.bind(9, row.ends.since_1970_ns);
    }
    if (const auto done = statement.step(); !done) return std::unexpected(done.error());
  }
  return {};
}

}  // namespace castgate
