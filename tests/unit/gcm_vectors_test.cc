// SPDX-License-Identifier: Apache-2.0
// NIST's CAVP vectors for AES-GCM, as Debian's python3-cryptography-vectors has them.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "dataplane/base/protect/ciphers.h"
#include "dataplane/base/protect/secret_memory.h"
#include "tests/support/hex.h"

namespace castgate {
namespace {

constexpr const char* kVectors =
    "/usr/lib/python3/dist-packages/cryptography_vectors/ciphers/AES/GCM";

using Fields = std::map<std::string, std::string>;

// Calls `with` once for each case: its fields and those of its section.
template <class With>
void each_case(const std::string& file, With&& with) {
  std::ifstream lines(std::string(kVectors) + "/" + file);
  Fields section;
  Fields fields;
  const auto end_case = [&] {
    if (fields.contains("Count")) {
      fields.insert(section.begin(), section.end());
      with(fields);
    }
    fields.clear();
  };
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.starts_with("#")) continue;
    const auto equal = line.find(" =");
    if (line.starts_with("[")) {
      section[line.substr(1, equal - 1)] = line.substr(equal + 3, line.size() - equal - 4);
    } else if (line.starts_with("Count")) {
      end_case();
      fields["Count"] = line;
    } else if (line == "FAIL") {
      fields["FAIL"] = "";
    } else if (equal != std::string::npos) {
      fields[line.substr(0, equal)] = equal + 3 <= line.size() ? line.substr(equal + 3) : "";
    } else if (line.empty()) {
      end_case();
    }
  }
  end_case();
}

// Those of the lengths that castgate has: a nonce of 96 bits, a tag of 128.
bool is_ours(const Fields& fields) {
  return fields.at("IVlen") == "96" && fields.at("Taglen") == "128";
}

class GcmVectorsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kVectors))
      GTEST_SKIP() << "no " << kVectors << ": apt-get install python3-cryptography-vectors";
  }
  Ciphers ciphers_ = *Ciphers::make();
};

TEST_P(GcmVectorsTest, each_is_sealed_in_place_and_apart) {
  unsigned cases = 0;
  each_case(std::string("gcmEncryptExtIV") + GetParam() + ".rsp", [&](const Fields& fields) {
    if (!is_ours(fields)) return;
    ++cases;
    const auto gcm = make_secret<GcmKey>(ciphers_, from_hex(fields.at("Key")));
    const auto clear = from_hex(fields.at("PT"));
    const auto nonce = from_hex(fields.at("IV"));
    const auto bound = from_hex(fields.at("AAD"));
    std::vector<std::byte> apart(clear.size());
    auto in_place = clear;
    std::vector<std::byte> tag(GcmKey::kTag);
    gcm->seal(ciphers_.manager(), {.to = apart.data(),
                                   .from = clear.data(),
                                   .length = clear.size(),
                                   .nonce = nonce.data(),
                                   .bound = bound,
                                   .tag = tag.data()});
    ASSERT_EQ(to_hex(apart), fields.at("CT")) << fields.at("Count");
    ASSERT_EQ(to_hex(tag), fields.at("Tag")) << fields.at("Count");
    gcm->seal(ciphers_.manager(), {.to = in_place.data(),
                                   .from = in_place.data(),
                                   .length = clear.size(),
                                   .nonce = nonce.data(),
                                   .bound = bound,
                                   .tag = tag.data()});
    ASSERT_EQ(in_place, apart);
    ASSERT_EQ(to_hex(tag), fields.at("Tag")) << fields.at("Count");
  });
  EXPECT_EQ(cases, 375u);
}

TEST_P(GcmVectorsTest, each_genuine_one_opens_and_no_other) {
  unsigned cases = 0;
  unsigned forged = 0;
  each_case(std::string("gcmDecrypt") + GetParam() + ".rsp", [&](const Fields& fields) {
    if (!is_ours(fields)) return;
    ++cases;
    const auto gcm = make_secret<GcmKey>(ciphers_, from_hex(fields.at("Key")));
    auto bytes = from_hex(fields.at("CT"));
    const auto nonce = from_hex(fields.at("IV"));
    const auto bound = from_hex(fields.at("AAD"));
    auto tag = from_hex(fields.at("Tag"));
    const bool good = gcm->open(ciphers_.manager(), {.to = bytes.data(),
                                                     .from = bytes.data(),
                                                     .length = bytes.size(),
                                                     .nonce = nonce.data(),
                                                     .bound = bound,
                                                     .tag = tag.data()});
    ASSERT_EQ(good, !fields.contains("FAIL")) << fields.at("Count");
    if (good) {
      ASSERT_EQ(to_hex(bytes), fields.at("PT")) << fields.at("Count");
    } else {
      ++forged;
    }
  });
  EXPECT_EQ(cases, 375u);
  EXPECT_GT(forged, 50u);
}

INSTANTIATE_TEST_SUITE_P(Keys, GcmVectorsTest, testing::Values("128", "256"));

}  // namespace
}  // namespace castgate
