// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/service_notifier.h"

#include <systemd/sd-daemon.h>

namespace castgate {

ServiceNotifier::ServiceNotifier() : watched_(sd_watchdog_enabled(0, nullptr) > 0) {}

void ServiceNotifier::ready(const std::string& status) const {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void ServiceNotifier::status(const std::string& status) const {
  sd_notify(0, ("STATUS=" + status).c_str());
}

void ServiceNotifier::pet() const {
  if (watched_) sd_notify(0, "WATCHDOG=1");
}

void ServiceNotifier::stopping() const {
  sd_notify(0, "STOPPING=1");
}

}  // namespace castgate
