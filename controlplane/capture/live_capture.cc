// SPDX-License-Identifier: Apache-2.0
#include "controlplane/capture/live_capture.h"

#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "controlplane/capture/capture_request.h"
#include "controlplane/capture/stage_capture.h"

namespace castgate {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBytesPerTurn = std::size_t{1} << 20;  // a millisecond's work at the most
constexpr std::chrono::milliseconds kHeartbeat{1000};
// Until every worker has heard of the end: a nap of theirs is a quarter of a millisecond.
constexpr std::chrono::milliseconds kAfterStop{5};

class Refusal final : public ReplyStream {
 public:
  explicit Refusal(std::string why) : why_(std::move(why)) {}
  bool next(std::string& into) override {
    into += json{{"error", why_}}.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
    return false;
  }

 private:
  std::string why_;
};

Command of_kind(CommandKind kind) {
  Command command;
  command.kind = kind;
  return command;
}

}  // namespace

class LiveCaptures::Stream final : public ReplyStream {
 public:
  Stream(LiveCaptures& all, const CaptureRequest& request)
      : all_(all),
        request_(request),
        file_(all.spec_, request.start.snaplen),
        missed_before_(all.runtime_->capture_missed()),
        ends_(Clock::now() + request.span),
        spoke_(Clock::now()) {
    all_.busy_ = true;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() override {
    all_.busy_ = false;
    if (!stopped_ && all_.runtime_ != nullptr) {
      all_.stop_owed_ = !all_.runtime_->command(of_kind(CommandKind::CaptureStop));
    }
  }

  bool next(std::string& into) override {
    if (all_.runtime_ == nullptr) return false;
    const auto now = Clock::now();
    const bool found = take_packets();
    const bool full = file_.packets() >= request_.count;
    if (!stopped_ && (full || now >= ends_)) {
      stopped_ = all_.runtime_->command(of_kind(CommandKind::CaptureStop));
      stopped_at_ = now;
    }
    const bool over = stopped_ && (full || (!found && now >= stopped_at_ + kAfterStop));
    const std::uint64_t missed = all_.runtime_->capture_missed() - missed_before_;
    if (over) file_.finish(missed);
    put_bytes(now, into);
    if (over) into += json{{"packets", file_.packets()}, {"missed", missed}}.dump() + '\n';
    return !over;
  }

 private:
  bool take_packets() {
    std::size_t bytes = 0;
    while (file_.packets() < request_.count && bytes < kBytesPerTurn) {
      if (!all_.runtime_->poll_captured(packet_)) return bytes != 0;
      bytes += packet_.bytes.size() + 1;
      file_.add(packet_);
    }
    return bytes != 0;
  }

  void put_bytes(Clock::time_point now, std::string& into) {
    const std::vector<std::byte> bytes = file_.take();
    if (bytes.empty() && now < spoke_ + kHeartbeat) return;
    spoke_ = now;
    into += json{{"bytes", bytes.size()}}.dump() + '\n';
    const std::size_t at = into.size();
    into.resize(at + bytes.size());
    if (!bytes.empty()) std::memcpy(&into[at], bytes.data(), bytes.size());
  }

  LiveCaptures& all_;
  CaptureRequest request_;
  StageCapture file_;
  CapturedPacket packet_;
  std::uint64_t missed_before_;
  Clock::time_point ends_;
  Clock::time_point spoke_;
  Clock::time_point stopped_at_;
  bool stopped_ = false;
};

std::unique_ptr<ReplyStream> LiveCaptures::open(std::string_view request) {
  const json parsed = json::parse(request, nullptr, false);
  if (!parsed.is_object() || parsed.size() != 1 || !parsed.contains("capture")) return nullptr;
  const auto wanted = read_capture_request(parsed["capture"], spec_);
  if (!wanted) return std::make_unique<Refusal>(wanted.error().text);
  if (busy_) {
    return std::make_unique<Refusal>("another capture runs: end it first, or wait for its end");
  }
  Command start = of_kind(CommandKind::CaptureStart);
  start.capture = wanted->start;
  if (runtime_ == nullptr || !runtime_->command(start)) {
    return std::make_unique<Refusal>(
        "the workers take no orders now; see castgate show workers, and try again");
  }
  stop_owed_ = false;
  if (wanted->start.clear) {
    spdlog::warn("capture --clear begins, of {}: it has payloads of sealed streams as well",
                 wanted->start.stream == CaptureStart::kAny
                     ? "all streams"
                     : spec_.streams[wanted->start.stream].name);
  }
  return std::make_unique<Stream>(*this, *wanted);
}

void LiveCaptures::turn() {
  if (!stop_owed_ || busy_ || runtime_ == nullptr) return;
  stop_owed_ = !runtime_->command(of_kind(CommandKind::CaptureStop));
}

}  // namespace castgate
