// SPDX-License-Identifier: Apache-2.0
// Key files of a whole pipeline.
#include "controlplane/keys/key_loader.h"
#include "tests/support/hex.h"
#include "tests/support/key_files.h"
#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::hex_of;
using test::kHex;

class KeyLoaderTest : public test::KeyFilesTest {};

Reading reading_of(const std::string& outputs) {
  test::YamlFile made;
  made.failover = "continuity: splice";
  made.outputs = outputs;
  return read_spec_text(made.text(), "f");
}

std::string output(const std::string& name, const std::string& key) {
  return name + ": {port: out, to: 239.9.0." + std::to_string(name[0] - 'a' + 1) +
         ":5000, source: 10.0.0.9, protect: {profile: srtp_cm, key_file: " + key + "}}";
}

TEST_F(KeyLoaderTest, keys_are_found_beside_the_file_and_shared_by_name) {
  file("k", kHex);
  Reading reading = reading_of(output("a", "k") + ", " + output("b", "k"));
  load_keys(reading, "f", place_.string());
  EXPECT_EQ(test::joined(reading.errors), "");
  const auto& outputs = reading.spec.streams.at(0).outputs;
  EXPECT_EQ(to_hex(outputs.at(0).protect.keys[0].key->bytes()), kHex);
  EXPECT_EQ(outputs.at(0).protect.keys[0].key, outputs.at(1).protect.keys[0].key);
}

TEST_F(KeyLoaderTest, several_keys_need_something_to_be_known_by) {
  file("k", "254: " + hex_of(1) + "\n" + hex_of(2));
  file("l", "256: " + hex_of(3));
  const auto errors_with = [&](const std::string& more, const std::string& key) {
    Reading reading = reading_of(
        "a: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9, protect: {profile: srtp_cm" + more +
        ", key_file: " + key + "}}");
    load_keys(reading, "f", place_.string());
    return test::joined(reading.errors);
  };
  EXPECT_NE(errors_with("", "k").find("k holds 2 keys: without mki_bytes"), std::string::npos);
  EXPECT_EQ(errors_with(", mki_bytes: 1", "k"), "");
  EXPECT_NE(errors_with(", mki_bytes: 1", "l").find("epoch 256 does not fit into an MKI of 1"),
            std::string::npos);
  EXPECT_EQ(errors_with("", "l"), "");
}

TEST_F(KeyLoaderTest, an_spi_is_one_keys) {
  const auto esp = [](const std::string& name, const std::string& spi) {
    return name + ": {port: out, to: 239.9.0." + std::to_string(name[0] - 'a' + 1) +
           ":5000, source: 10.0.0.9, protect: {profile: esp_tunnel_preserve, spi: " + spi +
           ", key_file: " + name + "}}";
  };
  std::string keys;
  for (unsigned i = 0; i < 3; ++i) keys += hex_of(i).substr(0, 40) + "\n";
  file("a", keys);
  file("b", hex_of(9).substr(0, 40));
  const auto errors_with = [&](const std::string& first, const std::string& second) {
    Reading reading = reading_of(esp("a", first) + ", " + esp("b", second));
    load_keys(reading, "f", place_.string());
    return test::joined(reading.errors);
  };
  EXPECT_EQ(errors_with("0x1000", "0x1003"), "");
  EXPECT_NE(errors_with("0x1000", "0x1002").find("epoch 1 of b has SPI 0x1002, which a has"),
            std::string::npos);
  EXPECT_NE(errors_with("0xfffffffe", "0x1000").find("epoch 3 has no SPI"), std::string::npos);
}

TEST_F(KeyLoaderTest, a_leg_may_have_several_keys_where_its_packets_tell_them_apart) {
  file("k", "254: " + hex_of(1).substr(0, 56) + "\n" + hex_of(2).substr(0, 56));
  file("e", hex_of(3).substr(0, 40) + "\n" + hex_of(4).substr(0, 40));
  file("f", hex_of(5).substr(0, 40));
  const auto leg = [](const std::string& name, const std::string& more) {
    return name + ": {port: red, to: 239.1.0.1:5000, from: 10.1.0.5, open: {" + more + "}}";
  };
  std::vector<EpochKey> loaded;
  const auto errors_of = [&](const std::string& legs) {
    test::YamlFile made;
    made.legs = legs;
    Reading reading = read_spec_text(made.text(), "f");
    EXPECT_EQ(test::joined(reading.errors), "");
    load_keys(reading, "f", place_.string());
    if (reading.good()) loaded = reading.spec.streams.at(0).legs.at(0).open.keys;
    return test::joined(reading.errors);
  };
  const std::string srtp = "profile: srtp_gcm, key_file: k";
  EXPECT_NE(errors_of(leg("a", srtp)).find("k holds 2 keys: without mki_bytes"), std::string::npos);
  EXPECT_EQ(errors_of(leg("a", srtp + ", mki_bytes: 1")), "");
  ASSERT_EQ(loaded.size(), 2u);
  EXPECT_EQ(loaded.back().epoch, 255u);
  const auto esp = [](const std::string& key, const std::string& spi) {
    return "profile: esp_tunnel_preserve, key_file: " + key + ", spi: " + spi;
  };
  EXPECT_EQ(errors_of(leg("a", esp("e", "0x1000")) + ", " + leg("b", esp("f", "0x1002"))), "");
  EXPECT_NE(errors_of(leg("a", esp("e", "0x1000")) + ", " + leg("b", esp("f", "0x1001")))
                .find("epoch 1 of f has SPI 0x1001, which at this address e has already"),
            std::string::npos);
}

TEST_F(KeyLoaderTest, two_files_with_one_key_are_refused) {
  file("k", kHex);
  file("l", "# the same\n" + kHex);
  Reading reading = reading_of(output("a", "k") + ", " + output("b", "l"));
  load_keys(reading, "f", place_.string());
  EXPECT_NE(test::joined(reading.errors).find("l holds a key of k"), std::string::npos);
}

}  // namespace
}  // namespace castgate
