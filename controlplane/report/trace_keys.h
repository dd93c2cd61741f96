// SPDX-License-Identifier: Apache-2.0
// Which key of the pipeline file decided what became of a packet.
#pragma once

#include <string>

#include "dataplane/base/describe/dissect.h"
#include "dataplane/contract/spec.h"
#include "dataplane/contract/trace.h"

namespace castgate {

std::string port_key(const Spec& spec, unsigned port);
std::string stream_key(const Spec& spec, std::size_t stream);
std::string leg_key(const Spec& spec, std::size_t stream, std::size_t leg);
std::string output_key(const Spec& spec, std::size_t stream, std::size_t output);
std::string failover_key(const Spec& spec, std::size_t stream, std::string_view key);

// Why a gap was closed at this moment and not later.
std::string gap_key(const Spec& spec, const Event& gap);
// Why the packet was dropped before any output; `port` received it.
std::string drop_key(const Spec& spec, unsigned port, const PacketTrace& trace);
// Why one output got nothing of it.
std::string unsent_key(const Spec& spec, std::size_t stream, std::size_t output, DropReason reason);

}  // namespace castgate
