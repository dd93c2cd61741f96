// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "controlplane/alarms/alarm.h"

namespace castgate {

// An alarm that was raised, or cleared where it says when.
using AlarmChange = Alarm;

// Every alarm of the appliance, by its key: a cause raises one at once, and its end clears it after
// the kind's hold-down, unless it is back by then. Moments are arguments and never run backwards.
class AlarmTable {
 public:
  static constexpr std::size_t kMostCleared = 1024;

  // The cause is there. Told as often as one likes; the text is the latest.
  void stands(const AlarmKey& key, std::string text, Instant now);
  // The cause is not there. Does nothing where no alarm stands.
  void gone(const AlarmKey& key, Instant now);
  // All of one kind about `stream` (empty: about none): those found stand, the others are gone.
  void judge(AlarmKind kind, const std::string& stream, std::span<const Finding> found,
             Instant now);
  // Clears at once every alarm about the stream, or only those about its leg: it is not there any
  // more.
  void forget(const std::string& stream, const std::string& leg, Instant now);
  // Clears what has been gone for its hold-down.
  void turn(Instant now);

  // What was raised and cleared since the last call, in order.
  std::vector<AlarmChange> take_changes();

  std::vector<Alarm> standing() const;                                 // the most severe first
  const std::deque<Alarm>& cleared() const noexcept { return past_; }  // the latest first

 private:
  struct Row {
    Alarm alarm;
    bool present = true;  // the cause
    Instant gone_at;
  };

  using Rows = std::map<AlarmKey, Row>;
  void leave(Row& row, Instant now);
  Rows::iterator clear(Rows::iterator at, Instant now);

  Rows rows_;
  std::deque<Alarm> past_;
  std::vector<AlarmChange> changes_;
  Instant due_ = kNever;  // nothing is to be cleared before
};

}  // namespace castgate
