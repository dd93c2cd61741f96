// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/wall_time.h"

#include <chrono>
#include <fmt/format.h>

namespace castgate {

std::string wall_time(Instant since_1970) {
  namespace chrono = std::chrono;
  const chrono::sys_time<Nanoseconds> moment{Nanoseconds{since_1970.ns}};
  const auto day = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss time{moment - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

}  // namespace castgate
