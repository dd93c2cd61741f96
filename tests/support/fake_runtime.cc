// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_runtime.h"

#include "dataplane/base/capture/capture_reader.h"
#include "dataplane/base/capture/capture_writer.h"

namespace castgate {
namespace {

// Copies the frames of `from` to every output; returns how many were read.
Result<std::uint64_t> copy_frames(const ReplayFile& from, std::vector<CaptureWriter>& outputs) {
  auto reader = CaptureReader::open(from.path);
  if (!reader) return std::unexpected(reader.error());
  for (;;) {
    const auto frame = reader->next();
    if (!frame) return std::unexpected(frame.error());
    if (!frame->has_value()) return reader->frames();
    for (CaptureWriter& output : outputs) output.write((*frame)->time, (*frame)->bytes);
  }
}

}  // namespace

namespace test {

Snapshot blank_snapshot(const Spec& spec) {
  Snapshot out;
  for (const PortSpec& port : spec.ports) {
    out.ports.emplace_back().name = port.name;
    out.ports.back().device = port.device;
  }
  for (const StreamSpec& stream : spec.streams) {
    StreamSnapshot& shown = out.streams.emplace_back();
    shown.name = stream.name;
    for (const LegSpec& leg : stream.legs) shown.legs.emplace_back().name = leg.name;
    for (const OutputSpec& output : stream.outputs) shown.outputs.emplace_back().name = output.name;
    for (const UnicastSpec& unicast : stream.unicasts)
      shown.unicasts.push_back({.name = unicast.name, .max_clients = unicast.max_clients});
  }
  for (const unsigned core : spec.appliance.worker_cores) out.workers.emplace_back().core = core;
  return out;
}

}  // namespace test

Result<std::unique_ptr<Runtime>> start_runtime(const Spec& spec) {
  auto runtime = std::make_unique<test::FakeRuntime>();
  runtime->shown = test::blank_snapshot(spec);
  return runtime;
}

// Every output gets the frames of the first input.
Result<ReplayResult> replay(const Spec& spec, const ReplayPlan& plan) {
  std::vector<CaptureWriter> outputs;
  for (const ReplayFile& file : plan.out) {
    auto writer = CaptureWriter::create(file.path);
    if (!writer) return std::unexpected(writer.error());
    outputs.push_back(*std::move(writer));
  }
  const auto read = copy_frames(plan.in.front(), outputs);
  if (!read) return std::unexpected(read.error());
  for (CaptureWriter& output : outputs)
    if (auto ok = output.close(); !ok) return std::unexpected(ok.error());
  ReplayResult result;
  result.snapshot = test::blank_snapshot(spec);
  result.packets_in = *read;
  result.packets_out = *read * outputs.size();
  return result;
}

}  // namespace castgate
