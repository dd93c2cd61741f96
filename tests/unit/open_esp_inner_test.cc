// SPDX-License-Identifier: Apache-2.0
// ESP as it arrives: what it comes in, and what is inside.
#include "dataplane/open/open_stage.h"
#include "tests/support/esp_lab.h"

namespace castgate::test {
namespace {

TEST_F(OpenEspTest, what_is_inside_must_be_what_the_leg_is_for) {
  opened().inner.source = IpAddress::parse("10.7.0.5").value();
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  std::uint64_t number = 0;
  const auto offer = [&](const Bytes& inner, std::uint8_t next_header) {
    receive(worker, esp_frame(sealer.seal(inner, next_header, ++number)));
  };
  Bytes other = inside(0);
  set16(other, 22, 5002);
  offer(other, kEspIp4);
  Frame elsewhere;
  elsewhere.source = {10, 7, 0, 6};
  elsewhere.destination = {239, 7, 0, 1};
  elsewhere.destination_port = 5001;
  offer(elsewhere.ip(), kEspIp4);
  EXPECT_EQ(worker.dropped(DropReason::OtherSelector), 2u);
  offer(inside(0), kEspIp6);
  offer(inside(0), kEspUdp);
  Bytes cut = inside(0);
  cut.pop_back();
  offer(cut, kEspIp4);
  elsewhere.source[3] = 5;
  elsewhere.fragment = 0x2000;
  offer(elsewhere.ip(), kEspIp4);
  EXPECT_EQ(worker.dropped(DropReason::InnerMalformed), 4u);
  offer(Bytes(100), 59);
  EXPECT_EQ(worker.dropped(DropReason::EspDummy), 1u);
  Bytes padded = inside(0);
  append(padded, Bytes(333));  // against whoever looks at lengths: RFC 4303 2.7
  offer(padded, kEspIp4);
  expect_clear(worker, 1);
  const LegSnapshot leg = leg_of(worker);
  EXPECT_EQ(leg.other_selector, 2u);
  EXPECT_EQ(leg.inner_malformed, 4u);
  EXPECT_EQ(leg.esp_dummy, 1u);
}

TEST_F(OpenEspTest, in_udp_keepalives_and_ike_are_told_apart_from_esp) {
  opened().udp_encapsulation = true;
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  for (const Bytes& beside : {Bytes{0xff}, Bytes(4), Bytes(80)}) send(worker, beside);
  EXPECT_EQ(worker.dropped(DropReason::NotEsp), 3u);
  for (const Bytes& bad : {Bytes{}, Bytes{0xfe}, Bytes{0, 0, 0}}) send(worker, bad);
  EXPECT_EQ(worker.dropped(DropReason::OpenMalformed), 3u);
  Bytes other = sealer.seal(inside(0), kEspIp4, 1);
  other[3] ^= 1;
  send(worker, other);
  EXPECT_EQ(worker.dropped(DropReason::OtherSpi), 1u);
  EXPECT_EQ(leg_of(worker).other_spi, 1u);
  EXPECT_EQ(leg_of(worker).not_esp, 3u);
  for (unsigned n = 0; n < 50; ++n) send(worker, sealer.seal(inside(n), kEspIp4, n + 1));
  expect_clear(worker, 50);
}

TEST_F(OpenEspTest, transport_mode_leaves_its_own_ip_header) {
  opened().profile = OpenProfile::EspTransport;
  opened().inner.to = spec.streams[0].legs[0].to;
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 50; ++n) {
    Frame frame;
    frame.payload = clear_of(n);
    receive(worker, esp_frame(sealer.seal(frame.udp(), kEspUdp, n + 1)));
  }
  expect_clear(worker, 50);
  Frame other;
  other.destination_port = 5002;
  receive(worker, esp_frame(sealer.seal(other.udp(), kEspUdp, 60)));
  EXPECT_EQ(worker.dropped(DropReason::OtherSelector), 1u);
  Bytes longer = Frame{}.udp();
  set16(longer, 4, static_cast<unsigned>(longer.size() + 1));
  receive(worker, esp_frame(sealer.seal(longer, kEspUdp, 61)));
  receive(worker, esp_frame(sealer.seal(Bytes(7), kEspUdp, 62)));
  receive(worker, esp_frame(sealer.seal(Frame{}.udp(), kEspIp4, 63)));
  EXPECT_EQ(worker.dropped(DropReason::InnerMalformed), 3u);
}

TEST_F(OpenEspTest, transport_mode_in_udp_survives_a_nat) {
  opened().profile = OpenProfile::EspTransport;
  opened().udp_encapsulation = true;
  opened().inner.to = spec.streams[0].legs[0].to;
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 50; ++n) {
    Frame frame;
    frame.source = {192, 168, 0, 5};
    frame.payload = clear_of(n);
    send(worker, sealer.seal(frame.udp(), kEspUdp, n + 1));
  }
  expect_clear(worker, 50);
}

}  // namespace
}  // namespace castgate::test
