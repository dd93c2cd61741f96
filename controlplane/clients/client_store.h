// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/clients/client_table.h"
#include "controlplane/store/bulk_thread.h"

namespace castgate {

class Sqlite;

// A client as the file has it.
struct StoredClient {
  JoinOrder order;
  Nanoseconds left{0};  // of the lease, when it was read
};

// Clocks that go on while the process is away.
struct StoreTime {
  std::int64_t since_boot_ns = 0;
  std::int64_t since_1970_ns = 0;
};

struct StoreClock {
  std::string boot;  // which boot of the machine the first one belongs to
  std::function<StoreTime()> now;

  static StoreClock of_host();
};

// The clients in `state_dir`/clients.db, so that a restart keeps them. What changes is written a
// tenth of a second later, all of it in one transaction, by the bulk thread; a crash forgets that
// tenth. A lease that ends while the process is away is gone; it is timed by the clock that no NTP
// step moves, unless the machine itself has started anew.
class ClientStore final : public ClientKeeper {
 public:
  static constexpr Nanoseconds kWriteEvery = std::chrono::milliseconds(100);

  // Makes the directory, mode 0700. An error names the file and the cure.
  static Result<std::unique_ptr<ClientStore>> open(const std::string& state_dir, StoreClock clock);
  ~ClientStore() override;

  // Once: who was there, and has some of the lease left.
  std::vector<StoredClient> take_stored() { return std::move(stored_); }

  void keep(const ClientEntry& client, Nanoseconds left) override;
  void forget(const ClientEntry& client) override;
  void forget(const JoinOrder& stored);
  void stood_still(Nanoseconds pause) override;

  // Hands what has changed to the bulk thread. Returns why it cannot be written, from when it could
  // not until it can.
  std::optional<std::string> turn();
  // Returns when all is written, or cannot be.
  void finish();

 private:
  struct Row {
    Endpoint client;
    ClientId id;
    std::string_view door;  // empty: it goes
    Nanoseconds lease{0};
    StoreTime ends;
    std::string output;
  };
  // What happened, in its order: of one client the last counts.
  struct Batch {
    std::vector<Row> rows;
    Nanoseconds moved{0};  // every deadline that was there before
  };

  ClientStore(std::unique_ptr<Sqlite> database, StoreClock clock);
  Result<void> load();
  void give();
  void look_at_given(std::int64_t now);
  static void move(Batch& batch, Nanoseconds pause);
  static void forget_overtaken(Batch& batch);
  Result<void> write(const Batch& batch);
  Result<void> write_rows(const Batch& batch);

  std::unique_ptr<Sqlite> database_;  // the bulk thread's once it runs
  StoreClock clock_;
  std::vector<StoredClient> stored_;
  Batch next_;
  std::size_t most_rows_ = 65'536;  // then what is overtaken is looked for
  // What the bulk thread has, and after it why that could not be written; it says when it is done.
  Batch given_;
  std::string fault_;
  std::atomic<bool> busy_{false};
  bool given_back_ = true;  // what came of it has been looked at
  std::optional<std::string> stands_;
  std::int64_t again_at_ns_ = 0;  // since boot: after a fault
  BulkThread bulk_;               // last: its jobs use the others
};

}  // namespace castgate
