// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/trace_story.h"

#include <algorithm>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "controlplane/report/trace_keys.h"
#include "dataplane/base/describe/describe.h"
#include "dataplane/base/describe/dissect.h"

namespace castgate {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string span_text(Nanoseconds span) {
  return fmt::format("{:.6f} ms", static_cast<double>(span.count()) / 1e6);
}

// As it stands on the wire.
std::uint64_t on_wire(const StreamSpec& stream, std::uint64_t position) {
  const unsigned width = stream.sequence.width();
  return width >= 64 ? position : position & ((1ull << width) - 1);
}

std::string positions_text(const StreamSpec& stream, const Located& where) {
  if (where.count == Located::kEnd) return "end of the session";
  if (where.count == 0) return fmt::format("heartbeat before position {}", where.raw);
  if (where.count == 1) return fmt::format("position {}", where.raw);
  return fmt::format("positions {} to {}", where.raw, on_wire(stream, where.raw + where.count - 1));
}

std::string gap_text(const StreamSpec& stream, const Event& gap) {
  const std::uint64_t from = on_wire(stream, gap.from);
  const std::uint64_t to = on_wire(stream, gap.to);
  const std::string positions =
      from == to ? fmt::format("position {}", from) : fmt::format("positions {} to {}", from, to);
  return fmt::format("{}, given up: {}", positions,
                     kGapReasonNames[static_cast<std::size_t>(gap.reason)]);
}

// Builds a packet's way step by step.
class Story {
 public:
  Story(const Spec& spec, unsigned port, const PacketTrace& trace)
      : spec_(spec), port_(port), trace_(trace) {}

  std::vector<TraceStep> tell() {
    add("arrived", trace_.arrived, describe(trace_.frame), port_key(spec_, port_));
    if (trace_.classified) {
      add("classified", trace_.arrived,
          fmt::format("stream {}, leg {}{}", stream().name, leg_name(trace_.leg),
                      trace_.where ? ", " + positions_text(stream(), *trace_.where) : ""),
          leg_key(spec_, trace_.stream, trace_.leg));
    }
    if (trace_.released) {
      tell_hold(*trace_.released);
      add("released", *trace_.released,
          trace_.where ? positions_text(stream(), *trace_.where) : "no position",
          failover_key(spec_, trace_.stream, "release"));
      tell_outputs(*trace_.released);
    }
    if (trace_.dropped) tell_drop(*trace_.dropped);
    return std::move(steps_);
  }

 private:
  const StreamSpec& stream() const { return spec_.streams[trace_.stream]; }
  const std::string& leg_name(unsigned leg) const { return stream().legs[leg].name; }
  std::string other_text(const TraceOther& other) const {
    return fmt::format("packet {} of {} (leg {})", other.packet, spec_.ports[other.port].name,
                       leg_name(other.leg));
  }
  void add(std::string what, Instant at, std::string text, std::string key) {
    steps_.push_back({std::move(what), at, std::move(text), std::move(key)});
  }

  void tell_hold(Instant released) {
    const Nanoseconds held = released - trace_.arrived;
    if (held == Nanoseconds{0} && !trace_.freed_by) return;
    std::string key = failover_key(spec_, trace_.stream, "max_skew");
    const std::string why = reason_of_hold(key);
    add("held", trace_.arrived, fmt::format("{} {}", span_text(held), why), key);
  }

  std::string reason_of_hold(std::string& key) const {
    const auto is_gap = [](const Event& event) { return event.kind == EventKind::Gap; };
    const auto gap = std::ranges::find_if(trace_.events, is_gap);
    if (gap != trace_.events.end()) {
      key = gap_key(spec_, *gap);
      std::string all;
      for (const Event& event : trace_.events) {
        if (is_gap(event)) all += (all.empty() ? "" : "; ") + gap_text(stream(), event);
      }
      return "behind " + all;
    }
    if (stream().failover.release == Release::Playout) {
      const bool own = stream().failover.playout_delay > stream().failover.max_skew;
      if (own) key = failover_key(spec_, trace_.stream, "playout_delay");
      return "until its time to play out";
    }
    if (trace_.first_of_stream) return "until the stream began: every leg seen, or max_skew over";
    if (trace_.freed_by) return reason_of_freeing(*trace_.freed_by, key);
    return trace_.at_end ? "until the captures ended" : "until a deadline";
  }

  std::string reason_of_freeing(const TraceOther& other, std::string& key) const {
    const bool new_epoch = std::ranges::any_of(
        trace_.events, [](const Event& e) { return e.kind == EventKind::EpochChange; });
    if (new_epoch) {
      key = failover_key(spec_, trace_.stream, "epoch_hold");
      return "until the new epoch was confirmed by " + other_text(other);
    }
    if (other.released && other.where.raw != trace_.where.value_or(Located{}).raw) {
      return fmt::format("behind {}, which {} brought", positions_text(stream(), other.where),
                         other_text(other));
    }
    key = failover_key(spec_, trace_.stream, "max_rate");
    return "until it was confirmed by " + other_text(other);
  }

  // Which of the stream's outputs left this frame; kNone where it is none of them.
  std::size_t output_of(const TraceSent& sent) const {
    const Dissection frame = dissect(sent.bytes);
    const auto fits = [&](const OutputSpec& output) {
      return output.port == sent.port && frame.destination == output.to.address &&
             frame.destination_port == output.to.udp_port &&
             (frame.vlans.empty() ? output.vlan == VlanTags{}
                                  : output.vlan.outer == frame.vlans.front());
    };
    const auto& outputs = stream().outputs;
    return static_cast<std::size_t>(std::ranges::find_if(outputs, fits) - outputs.begin());
  }

  void tell_outputs(Instant released) {
    const auto& outputs = stream().outputs;
    std::vector<bool> served(outputs.size());
    for (const TraceSent& sent : trace_.sent) {
      const std::size_t output = output_of(sent);
      const bool known = output < outputs.size();
      if (known) served[output] = true;
      add("sent", sent.at,
          fmt::format("{} by {}: {}", known ? "output " + outputs[output].name : "",
                      spec_.ports[sent.port].name, describe(sent.bytes)),
          known ? output_key(spec_, trace_.stream, output) : stream_key(spec_, trace_.stream));
    }
    std::size_t output = 0;
    for (const DropReason reason : trace_.unsent) {
      while (output < outputs.size() && served[output]) ++output;
      const std::string name = output < outputs.size() ? "output " + outputs[output].name : "";
      const DropReasonInfo& info = kDropReasonTable[static_cast<std::size_t>(reason)];
      add("not_sent", released, fmt::format("{}: {}: {}", name, info.name, info.meaning),
          unsent_key(spec_, trace_.stream, output++, reason));
    }
  }

  void tell_drop(DropReason reason) {
    const DropReasonInfo& info = kDropReasonTable[static_cast<std::size_t>(reason)];
    std::string text = fmt::format("{}: {}", info.name, info.meaning);
    if (trace_.winner) {
      text += fmt::format("; {}, {} earlier, was taken", other_text(*trace_.winner),
                          span_text(trace_.arrived - trace_.winner->arrived));
    } else if (trace_.given_up) {
      text += fmt::format("; {} at {}", gap_text(stream(), *trace_.given_up),
                          moment_text(trace_.given_up->at));
    }
    add("dropped", trace_.dropped_at, text, drop_key(spec_, port_, trace_));
  }

  const Spec& spec_;
  unsigned port_;
  const PacketTrace& trace_;
  std::vector<TraceStep> steps_;
};

}  // namespace

std::string moment_text(Instant at) {
  const std::int64_t second = at.ns / kSecond;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(static_cast<std::time_t>(second)),
                     at.ns % kSecond);
}

std::vector<TraceStep> trace_story(const Spec& spec, unsigned port, const PacketTrace& trace) {
  return Story(spec, port, trace).tell();
}

}  // namespace castgate
