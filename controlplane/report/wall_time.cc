// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/wall_time.h"

#include <chrono>
#include <fmt/format.h>

namespace castgate {

std::string wall_time(Instant since_1970) {
  using namespace std::chrono;
  const sys_time<nanoseconds> moment{nanoseconds{since_1970.ns}};
  const auto day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss time{moment - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

}  // namespace castgate
