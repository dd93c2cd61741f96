// SPDX-License-Identifier: Apache-2.0
// monitor: of a stream, and the event log: their values, and what must hold between them.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::YamlFile;

std::string errors_with(const std::string& monitor, const std::string& failover = "") {
  return errors_of({.failover = failover, .stream = "monitor: {" + monitor + "},"});
}

TEST(Monitor, values_are_read_in_their_units) {
  const YamlFile file{.appliance = "event_log: /var/log/castgate/events.jsonl",
                      .stream =
                          "monitor: {degrade_loss: 0.05%, latent_error_difference: 20%, "
                          "latent_error_period: 5s, down_after: 1500ms},"};
  const Reading reading = read_spec_text(file.text(), "f");
  ASSERT_EQ(test::joined(reading.errors), "");
  const MonitorSpec& monitor = reading.spec.streams[0].monitor;
  EXPECT_EQ(monitor.degrade_loss_ppm, 500u);
  EXPECT_EQ(monitor.latent_error_difference_ppm, 200'000u);
  EXPECT_EQ(monitor.latent_error_period, std::chrono::seconds(5));
  EXPECT_EQ(monitor.down_after, std::chrono::milliseconds(1500));
  EXPECT_EQ(reading.spec.appliance.event_log, "/var/log/castgate/events.jsonl");
}

TEST(Monitor, share_without_a_unit_or_out_of_range_is_refused) {
  EXPECT_EQ(errors_with("degrade_loss: 0.001"),
            "f:4:39: streams.s.monitor.degrade_loss: needs a unit: 0.1%, 1000ppm");
  EXPECT_EQ(errors_with("degrade_loss: 101%"),
            "f:4:39: streams.s.monitor.degrade_loss: 101% is out of range: 1ppm to 100%");
  EXPECT_EQ(errors_with("degrade_loss: 0.00001%"),
            "f:4:39: streams.s.monitor.degrade_loss: '0.00001%' is finer than can be kept");
}

TEST(Monitor, event_log_is_a_path_or_none) {
  EXPECT_EQ(errors_of({.appliance = "event_log: none"}), "");
  EXPECT_NE(errors_of({.appliance = "event_log: events.jsonl"}).find("expected an absolute path"),
            std::string::npos);
}

TEST(Monitor, latent_error_of_one_leg_has_no_effect) {
  const YamlFile file{.legs = "A: {port: red, to: 239.1.0.1:5000}",
                      .stream = "monitor: {latent_error_period: 3s, degrade_loss: 1%},"};
  EXPECT_EQ(errors_of(file),
            "f:4:46: streams.s.monitor.latent_error_period: has no effect: a stream of one leg has "
            "no other to compare it with");
}

TEST(Monitor, latent_error_period_must_outlast_what_is_under_way) {
  EXPECT_EQ(errors_with("latent_error_period: 2s", "max_skew: 500ms, max_rate: 1kpps"), "");
  EXPECT_EQ(errors_with("latent_error_period: 2s", "max_skew: 600ms, max_rate: 1kpps"),
            "f:4:46: streams.s.monitor.latent_error_period: 2s is less than four times what a leg "
            "may be behind, 2400ms: what is under way would look lost");
  EXPECT_EQ(errors_with("degrade_loss: 1%", "max_skew: 600ms, max_rate: 1kpps"), "");
}

}  // namespace
}  // namespace castgate
