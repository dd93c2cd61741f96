// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "pipelines/rules.h"
#include "pipelines/units.h"

namespace castgate {

void check_monitor(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream) + ".monitor";
  const std::string period = path + ".latent_error_period";
  for (const std::string& key : {period, path + ".latent_error_difference"}) {
    if (rules.given(key) && stream.legs.size() == 1)
      rules.error(key, "has no effect: a stream of one leg has no other to compare it with");
  }
  const Nanoseconds least = 4 * longest_hold(stream.failover);
  if (!rules.given(period) || stream.monitor.latent_error_period >= least) return;
  rules.error(period,
              fmt::format("{} is less than four times what a leg may be behind, {}: what "
                          "is under way would look lost",
                          duration_text(stream.monitor.latent_error_period), duration_text(least)));
}

}  // namespace castgate
