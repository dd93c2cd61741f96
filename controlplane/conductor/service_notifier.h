// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace castgate {

// Tells the service manager how we are (sd_notify(3)). Does nothing where none listens.
class ServiceNotifier {
 public:
  ServiceNotifier();

  void ready(const std::string& status) const;
  void status(const std::string& status) const;
  void pet() const;  // the watchdog, where the manager runs one
  void stopping() const;

 private:
  bool watched_ = false;
};

}  // namespace castgate
