// SPDX-License-Identifier: Apache-2.0
// What the control socket passes on to the workers (control_protocol.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// From names; unknown ones are answered with the known ones.
Result<Command> make_leg_command(const Spec& spec, const std::string& stream,
                                 const std::string& leg, const std::string& action);

// The reply's line to an order, newline included; none where the request is no order. `send` is
// called only where the order is good, and says false where the workers cannot take it now.
std::optional<std::string> answer_order(std::string_view request, const Spec& spec,
                                        const std::function<bool(const Command&)>& send);

}  // namespace castgate
