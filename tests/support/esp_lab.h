// SPDX-License-Identifier: Apache-2.0
// A leg whose packets come as ESP, and their sender, who has EspGcm alone.
#pragma once

#include <algorithm>

#include <gtest/gtest.h>

#include "dataplane/contract/reload.h"
#include "dataplane/open/open_stage.h"
#include "dataplane/stream_kit.h"
#include "tests/support/one_key.h"
#include "tests/support/restamp_lab.h"

namespace castgate::test {

inline constexpr std::uint32_t kSpi = 0xabcd;
inline constexpr std::size_t kEspAt = 34;

inline OpenSpec tunnel(unsigned seed = 1) {
  OpenSpec spec;
  spec.profile = OpenProfile::EspTunnel;
  spec.spi = kSpi;
  spec.inner.to = Endpoint::parse("239.7.0.1:5001").value();
  spec.key_file = "key " + std::to_string(seed);
  std::vector<std::byte> bytes(key_file_bytes(spec));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + seed);
  spec.keys = one_key(share_key(bytes));
  return spec;
}

// The other end of an association.
class EspSender {
 public:
  explicit EspSender(const OpenSpec& spec) : spi_(spec.spi) {
    const auto master =
        read_esp_master(spec.keys.front().key->bytes(), static_cast<KeyBits>(spec.key_bits));
    esp_ = make_secret<EspGcm>(ciphers_, *master, spec.esn);
  }
  Bytes seal(const Bytes& inner, std::uint8_t next_header, std::uint64_t number) {
    Bytes made(EspShape::sealed(inner.size()));
    esp_->seal(ciphers_.manager(), reinterpret_cast<std::byte*>(made.data()),
               std::as_bytes(std::span(inner)), next_header,
               {.spi = spi_, .sequence = number, .iv = number});
    return made;
  }

 private:
  Ciphers ciphers_ = *Ciphers::make();
  Secret<EspGcm> esp_;
  std::uint32_t spi_;
};

// A frame whose IP payload is `body`, whatever that is.
inline Bytes esp_frame(const Bytes& body) {
  Frame frame;
  frame.payload = {};
  frame.protocol = 50;
  Bytes made = frame.bytes();
  made.resize(kEspAt);
  set16(made, 16, static_cast<unsigned>(20 + body.size()));
  set16(made, 24, 0);
  set16(made, 24, slow_checksum(Bytes(made.begin() + 14, made.begin() + 34)));
  append(made, body);
  return made;
}

class OpenEspTest : public RestampTest {
 protected:
  OpenEspTest() {
    spec.streams[0].failover.continuity = Continuity::Preserve;
    opened() = tunnel();
  }
  OpenSpec& opened() { return spec.streams[0].legs[0].open; }

  static Bytes clear_of(unsigned n) {
    return rtp_packet(n, n * kTicks, 7, pattern(30 + n % 400, n));
  }
  // The IP packet that the leg is for.
  static Bytes inside(unsigned n) {
    Frame frame;
    frame.source = {10, 7, 0, 5};
    frame.destination = {239, 7, 0, 1};
    frame.destination_port = 5001;
    frame.payload = clear_of(n);
    return frame.ip();
  }
  static void receive(OneWorker& worker, const Bytes& frame) {
    worker.now = worker.now + kStep;
    worker.receive(frame);
  }
  static LegSnapshot leg_of(const OneWorker& worker) {
    StreamSnapshot into;
    into.legs.resize(1);
    worker.pipeline->snapshot_stream(0, into);
    return into.legs[0];
  }
  void reload(OneWorker& worker, const Spec& after) {
    Port* ports[] = {&worker.port};
    auto kit = make_kit({.before = spec, .after = after, .ports = ports}, 0);
    auto flows = std::make_unique<FlowTable>(after, std::vector<std::uint8_t>(8));
    worker.pipeline->install(*kit, worker.now);
    worker.pipeline->set_flows(*flows);
    flows_ = std::move(flows);
    spec = after;
  }
  void expect_clear(const OneWorker& worker, unsigned count, unsigned first = 0) {
    ASSERT_EQ(worker.port.sent.size(), count);
    for (unsigned i = 0; i < count; ++i)
      ASSERT_EQ(payload_of(worker.port.sent[i]), clear_of(first + i)) << i;
  }

 private:
  std::unique_ptr<FlowTable> flows_;
};

}  // namespace castgate::test
