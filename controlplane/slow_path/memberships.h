// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "controlplane/slow_path/reports.h"
#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/error.h"

namespace castgate {

// In the network namespace of the calling thread.
Result<UniqueFd> datagram_socket(int family);

// Holds multicast memberships by sockets that never receive. As many sockets as the kernel's limits
// ask for: 20 groups a socket (igmp_max_memberships) and 10 sources a group (igmp_max_msf).
class Memberships {
 public:
  static constexpr unsigned kGroups = 20;
  static constexpr unsigned kSources = 10;
  // Opens a datagram socket of a family in the namespace where the interfaces are.
  using Opener = std::function<Result<UniqueFd>(int family)>;

  explicit Memberships(Opener open) : open_(std::move(open)) {}

  // Every source, or any where none is named. The error names group, source and what refused.
  Result<void> join(unsigned interface, const JoinedGroup& wanted);
  // Joins what is in `after` and not in `before`, then leaves what is only in `before`.
  Result<void> follow(unsigned interface, const std::vector<JoinedGroup>& before,
                      const std::vector<JoinedGroup>& after);
  std::size_t sockets() const noexcept { return sockets_.size(); }

 private:
  using Key = std::pair<unsigned, IpAddress>;  // interface and group
  using Source = std::optional<IpAddress>;     // none: any
  struct Socket {
    int family;
    UniqueFd fd;
    std::map<Key, std::vector<Source>> sources;
  };

  Result<void> join_one(const Key& key, const Source& source);
  void leave_one(const Key& key, const Source& source);
  Result<Socket*> socket_for(const Key& key, bool has_source);

  Opener open_;
  std::vector<Socket> sockets_;
};

}  // namespace castgate
