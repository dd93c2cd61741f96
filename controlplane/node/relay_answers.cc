// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/relay_answers.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "controlplane/keys/key_file.h"

namespace castgate {
namespace {

using nlohmann::json;

constexpr std::size_t kHexDigits = 32;
constexpr std::size_t kLongestText = 200;  // of a relay's that is shown to a person
constexpr std::array<std::pair<std::string_view, SequenceFormat>, 7> kFormats{{
    {"rtp", SequenceFormat::Rtp},
    {"rtp_extended", SequenceFormat::RtpExtended},
    {"moldudp64", SequenceFormat::Moldudp64},
    {"cme_mdp3", SequenceFormat::CmeMdp3},
    {"iex_tp", SequenceFormat::IexTp},
    {"generic", SequenceFormat::Generic},
    {"fingerprint", SequenceFormat::Fingerprint},
}};

bool is_hex(std::string_view text) {
  return text.size() == kHexDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// Null where there is no such member, or of another type.
const json* member(const json& of, const char* name, json::value_t type) {
  if (!of.is_object()) return nullptr;
  const auto found = of.find(name);
  return found != of.end() && found->type() == type ? &*found : nullptr;
}

std::string text_of(const json& of, const char* name) {
  const json* found = member(of, name, json::value_t::string);
  return found != nullptr ? found->get<std::string>() : std::string{};
}

// Nothing outside 1 to `most`.
std::optional<unsigned> count_of(const json& of, const char* name, unsigned most) {
  const json* found = member(of, name, json::value_t::number_unsigned);
  if (found == nullptr) return std::nullopt;
  const auto value = found->get<std::uint64_t>();
  if (value == 0 || value > most) return std::nullopt;
  return static_cast<unsigned>(value);
}

std::optional<Endpoint> endpoint_of(const json& of, const char* name) {
  const json* found = member(of, name, json::value_t::object);
  if (found == nullptr) return std::nullopt;
  const auto address = IpAddress::parse(text_of(*found, "address"));
  const auto port = count_of(*found, "udp_port", UINT16_MAX);
  if (!address || !port || address->is_unspecified() || address->is_multicast())
    return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::optional<std::uint64_t> number_of(const json& of, const char* name) {
  const json* found = member(of, name, json::value_t::number_unsigned);
  return found == nullptr ? std::nullopt : std::optional(found->get<std::uint64_t>());
}

// What is not understood is no key.
std::optional<OpenOption> key_of(const json& told) {
  OpenOption made;
  const std::string profile = text_of(told, "profile");
  made.sealed.profile = profile == "srtp_gcm"  ? ProtectProfile::SrtpGcm
                        : profile == "srtp_cm" ? ProtectProfile::SrtpCm
                                               : ProtectProfile::None;
  const auto key_bits = number_of(told, "key_bits");
  const auto tag_bits = number_of(told, "tag_bits");
  const auto roll_over = number_of(told, "roc");
  const bool is_cm = made.sealed.profile == ProtectProfile::SrtpCm;
  if (!made.sealed.is_on() || (key_bits != 128 && key_bits != 256) || !roll_over ||
      *roll_over > UINT32_MAX || (is_cm && tag_bits != 80 && tag_bits != 32))
    return std::nullopt;
  made.sealed.key_bits = static_cast<unsigned>(*key_bits);
  if (is_cm) made.sealed.tag_bits = static_cast<unsigned>(*tag_bits);
  made.roll_over = static_cast<std::uint32_t>(*roll_over);
  const json* text = member(told, "key", json::value_t::string);
  if (text == nullptr) return std::nullopt;
  const auto keys = parse_keys(text->get_ref<const std::string&>(), key_file_bytes(made.sealed));
  if (!keys || keys->size() != 1) return std::nullopt;
  made.sealed.keys = *keys;
  return made;
}

// Without what would write over a terminal.
std::string shown(std::string_view text) {
  std::string line(text.substr(0, kLongestText));
  std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
  return line;
}

}  // namespace

Result<RelayClient> parse_relay_client(std::string_view body) {
  const auto wrong = [](std::string_view what) {
    return fail(
        fmt::format("the relay's answer {}; does castgate's REST door listen there?", what));
  };
  if (body.size() > kLongestAnswer) return wrong("is too long");
  const json answer = json::parse(body, nullptr, false);
  RelayClient client;
  client.id = text_of(answer, "id");
  if (!is_hex(client.id)) return wrong("has no id of 32 hexadecimal digits");
  const auto source = endpoint_of(answer, "source");
  if (!source) return wrong("does not say what the packets come from");
  client.source = *source;
  const std::string format = text_of(answer, "sequence");
  const auto* known = std::ranges::find(kFormats, format, &decltype(kFormats)::value_type::first);
  if (known == kFormats.end()) {
    return wrong(fmt::format("names an unknown sequence '{}'", shown(format)));
  }
  client.sequence = known->second;
  const std::string state = text_of(answer, "state");
  if (state != "active" && state != "unproved") return wrong("has no state that is known");
  client.active = state == "active";
  constexpr double kLongestLease = 86'400;
  const auto lease = answer.find("lease_s");
  if (lease == answer.end() || !lease->is_number()) return wrong("has no lease");
  const double seconds = lease->get<double>();
  if (!(seconds >= 1 && seconds <= kLongestLease)) return wrong("has no lease of 1 to 86400 s");
  client.lease = std::chrono::seconds{static_cast<unsigned>(seconds)};
  client.isolated = text_of(answer, "isolation") == "per_client";
  if (const json* told = member(answer, "protect", json::value_t::object)) {
    client.sealed = key_of(*told);
    if (!client.sealed) return wrong("seals the packets in a way that is not known here");
  }
  return client;
}

std::string parse_problem(unsigned status, std::string_view body) {
  std::string says;
  if (body.size() <= kLongestAnswer) {
    const json problem = json::parse(body, nullptr, false);
    says = text_of(problem, "detail");
    if (says.empty()) says = text_of(problem, "title");
  }
  return says.empty() ? fmt::format("HTTP status {}", status)
                      : fmt::format("{} ({})", shown(says), status);
}

std::optional<std::string> parse_proof(std::span<const std::byte> datagram) {
  constexpr std::string_view kBegin = "castgate-proof/1 ";
  const std::string_view text(reinterpret_cast<const char*>(datagram.data()), datagram.size());
  if (text.size() != kBegin.size() + kHexDigits + 1 || !text.starts_with(kBegin)) return {};
  const std::string_view nonce = text.substr(kBegin.size(), kHexDigits);
  if (!text.ends_with('\n') || !is_hex(nonce)) return {};
  return std::string(nonce);
}

std::string_view sequence_name(SequenceFormat format) {
  return std::ranges::find(kFormats, format, &decltype(kFormats)::value_type::second)->first;
}

}  // namespace castgate
