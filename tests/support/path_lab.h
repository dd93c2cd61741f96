// SPDX-License-Identifier: Apache-2.0
// ICMP errors about clients' packets, put together field by field, and who judges them.
#pragma once

#include <set>

#include <gtest/gtest.h>

#include "controlplane/clients/path_errors.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/packets.h"

namespace castgate::test {

using namespace std::chrono_literals;

inline Endpoint at(const std::string& text) {
  return Endpoint::parse(text).value();
}

inline Bytes bytes_of(const IpAddress& address) {
  const std::size_t skipped = address.is_v4() ? 12 : 0;
  return {address.bytes().begin() + static_cast<std::ptrdiff_t>(skipped), address.bytes().end()};
}

// An error as a whole frame, and the packet that it quotes.
struct Told {
  std::string source = "10.9.0.1:5000";
  std::string client = "10.9.0.7:6000";
  unsigned type = 3;
  unsigned code = 3;
  unsigned mtu = 0;
  unsigned checksum = 0x1111;
  unsigned payload = 1316;
  std::size_t quoted = 64;  // bytes behind the IP header
  std::vector<std::pair<unsigned, unsigned>> tags;

  std::vector<std::byte> frame() const {
    const Endpoint from = at(source);
    const Endpoint to = at(client);
    Frame sent;
    sent.v6 = !to.address.is_v4();
    sent.source = bytes_of(from.address);
    sent.destination = bytes_of(to.address);
    sent.source_port = from.udp_port;
    sent.destination_port = to.udp_port;
    sent.payload = Bytes(payload, 0x5a);
    Bytes quote = sent.ip();
    const std::size_t header = sent.v6 ? 40 : 20;
    set16(quote, header + 6, checksum);
    quote.resize(header + quoted);

    Bytes icmp;
    put16(icmp, type << 8 | code);
    put16(icmp, 0);
    put32(icmp, mtu);
    append(icmp, quote);
    Bytes summed = icmp;
    if (sent.v6) {
      append(summed, sent.destination);
      append(summed, sent.source);
      put32(summed, static_cast<std::uint32_t>(icmp.size()));
      put32(summed, 58);
    }
    set16(icmp, 2, slow_checksum(summed));
    return link(sent, icmp);
  }

 private:
  std::vector<std::byte> link(const Frame& sent, const Bytes& icmp) const {
    Bytes made(12, 2);
    for (const auto& [type_of, tci] : tags) {
      put16(made, type_of);
      put16(made, tci);
    }
    put16(made, sent.v6 ? 0x86dd : 0x0800);
    Bytes ip;
    if (sent.v6) {
      put32(ip, 0x60000000);
      put16(ip, static_cast<unsigned>(icmp.size()));
      put16(ip, 58u << 8 | 64);
    } else {
      put16(ip, 0x4500);
      put16(ip, static_cast<unsigned>(20 + icmp.size()));
      put32(ip, 0);
      put16(ip, 64u << 8 | 1);
      put16(ip, 0);
    }
    append(ip, sent.destination);
    append(ip, sent.source);
    append(made, ip);
    append(made, icmp);
    std::vector<std::byte> whole;
    for (const auto byte : made) whole.push_back(std::byte{byte});
    return whole;
  }
};

class PathErrorsTest : public testing::Test {
 protected:
  PathErrorsTest() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {IpPrefix::parse("10.9.0.1/16").value(),
                                 IpPrefix::parse("2001:db8:9::1/64").value()};
    out.gateway = IpAddress::parse("10.9.255.254");
    for (const char* host : {"10.9.0.7", "10.9.0.8", "2001:db8:9::7"})
      out.neighbours[*IpAddress::parse(host)] = MacAddress{{2, 0, 0, 0, 9, 7}};
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.name = "news1";
    stream.legs.push_back({.name = "A", .to = at("239.1.0.1:5000")});
    stream.unicasts.push_back({.name = "homes"});
    stream.unicasts.push_back({.name = "far", .source_port = 7000});
    clients_.set_runtime(&runtime_);
    // Which checksums were sent, in the order of their packets.
    runtime_.sent = [this](const ClientPlace&, const QuotedPacket& quote) {
      const auto found = sent_.find(quote.udp_checksum);
      return found == sent_.end() ? std::nullopt
                                  : std::optional(SentPacket{*found, quote.begin_bytes == 8});
    };
  }
  void join(const char* client = "10.9.0.7:6000", const char* output = "news1.homes") {
    const auto joined = clients_.join({.output = output, .client = at(client)}, now_);
    ASSERT_TRUE(joined) << joined.error().text;
  }
  const ClientEntry* client(const char* address = "10.9.0.7:6000") {
    return clients_.find("news1.homes", at(address));
  }
  bool tell(const Told& told) {
    now_ = now_ + 1ms;
    errors_.turn(now_);
    return errors_.take(told.frame(), runtime_, now_);
  }
  void pass(Nanoseconds time) {
    now_ = now_ + time;
    errors_.turn(now_);
    clients_.next_hops().turn(runtime_);
  }
  unsigned mtu(const char* address = "10.9.0.7:6000") { return clients_.mtu_of(*client(address)); }
  const IcmpCounters& counted() const { return errors_.counters(); }

  Spec spec_;
  FakeRuntime runtime_;
  ClientTable clients_{spec_};
  PathErrors errors_{spec_, clients_};
  std::set<std::uint16_t> sent_{0x1111, 0x2222, 0x3333, 0x4444};
  Instant now_{5'000'000'000};
};

}  // namespace castgate::test
