// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <sys/stat.h>

#include "controlplane/keys/key_file.h"
#include "controlplane/keys/ssrc_ledger.h"
#include "tests/support/hex.h"
#include "tests/support/key_files.h"
#include "tests/support/one_key.h"

namespace castgate {
namespace {

using test::hex_of;
using test::kHex;

class KeysTest : public test::KeyFilesTest {};

// One key, or what is wrong.
std::string told(const Result<std::vector<EpochKey>>& keys) {
  if (!keys) return keys.error().text;
  std::string all;
  for (const EpochKey& key : *keys) {
    if (keys->size() != 1) all += std::to_string(key.epoch) + ":";
    all += to_hex(key.key->bytes()) + (keys->size() == 1 ? "" : " ");
  }
  return all;
}

TEST_F(KeysTest, hexadecimal_and_base64_are_the_same_key) {
  EXPECT_EQ(told(parse_keys(kHex + "\n", 30)), kHex);
  EXPECT_EQ(
      told(parse_keys("# news1\n  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd # salt too\n", 30)),
      kHex);
  EXPECT_EQ(told(parse_keys("00010203 04050607 08090A0B 0C0D0E0F 10111213 14151617 18191a1b", 28)),
            kHex.substr(0, 56));
  EXPECT_EQ(told(parse_keys("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==", 28)), kHex.substr(0, 56));
}

TEST_F(KeysTest, sdes_inline_is_taken_as_it_stands_there) {
  const std::string key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==";
  EXPECT_EQ(told(parse_keys("inline:" + key, 28)), kHex.substr(0, 56));
  const auto later = parse_keys("7: inline:" + key, 28);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->front().epoch, 7u);
  EXPECT_EQ(told(later), kHex.substr(0, 56));
  EXPECT_NE(told(parse_keys("inline:" + key + "|2^20|1:4", 28)).find("leave them out"),
            std::string::npos);
}

TEST_F(KeysTest, a_key_where_its_file_belongs_is_not_repeated) {
  for (const std::string& key : {kHex, std::string("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="),
                                 std::string("inline:AAECAwQF")}) {
    const std::string why = told(read_key_file((place_ / key).string(), 30));
    EXPECT_NE(why.find("looks like a key"), std::string::npos) << why;
    EXPECT_EQ(why.find(key.substr(0, 8)), std::string::npos) << why;
  }
}

TEST_F(KeysTest, what_is_no_file_is_not_waited_for) {
  const std::string fifo = (place_ / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(told(read_key_file(fifo, 30)), fifo + ": is no file");
  EXPECT_EQ(told(read_key_file(place_.string(), 30)), place_.string() + ": is no file");
}

TEST_F(KeysTest, what_is_no_key_is_told_by_its_length_and_never_by_its_content) {
  for (const std::string& text : {kHex.substr(2), kHex + "00", kHex.substr(1) + "x",
                                  std::string("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw!")}) {
    const auto key = parse_keys(text, 30);
    ASSERT_FALSE(key) << text;
    EXPECT_NE(key.error().text.find("30 bytes"), std::string::npos);
    EXPECT_EQ(key.error().text.find(text.substr(0, 6)), std::string::npos);
  }
  EXPECT_EQ(told(parse_keys("# nothing\n", 30)), "holds no key");
}

TEST_F(KeysTest, lines_are_epochs_in_their_order_or_as_they_say) {
  const std::string a = hex_of(0xa);
  const std::string b = hex_of(0xb);
  const std::string c = hex_of(0xc);
  EXPECT_EQ(told(parse_keys(a + "\n\n# then\n" + b, 30)), "1:" + a + " 2:" + b + " ");
  EXPECT_EQ(told(parse_keys("7: " + a + "\n" + b + "\n4294967295:" + c + "\n", 30)),
            "7:" + a + " 8:" + b + " 4294967295:" + c + " ");
}

TEST_F(KeysTest, epochs_that_do_not_ascend_and_keys_that_return_are_refused_by_their_line) {
  const std::string a = hex_of(0xa);
  const std::string b = hex_of(0xb);
  EXPECT_EQ(told(parse_keys("2:" + a + "\n2:" + b, 30)), "line 2: epochs ascend, from 1 on");
  EXPECT_EQ(told(parse_keys("0:" + a, 30)), "line 1: epochs ascend, from 1 on");
  EXPECT_EQ(told(parse_keys("4294967295:" + a + "\n" + b, 30)), "line 2: epochs end at 4294967295");
  for (const char* epoch : {"x:", ":", "-1:", "00000000001:", "4294967296:", "1x:"})
    EXPECT_TRUE(told(parse_keys(epoch + a, 30)).starts_with("line 1: ")) << epoch;
  EXPECT_EQ(told(parse_keys(a + "\n" + b + "\n\n" + a, 30)),
            "line 4: is an earlier line's key again");
  const std::string short_one = told(parse_keys(a + "\n" + b.substr(2), 30));
  EXPECT_TRUE(short_one.starts_with("line 2: is no key")) << short_one;
}

TEST_F(KeysTest, files_that_others_may_read_are_refused) {
  EXPECT_EQ(told(read_key_file(file("a", kHex), 30)), kHex);
  EXPECT_EQ(told(read_key_file(file("a", kHex, 0400), 30)), kHex);
  for (const unsigned mode : {0640u, 0604u, 0620u, 0601u}) {
    const std::string path = file("b", kHex, mode);
    EXPECT_EQ(told(read_key_file(path, 30)),
              path + ": others may read this key; chmod 600 " + path);
  }
  EXPECT_NE(told(read_key_file((place_ / "none").string(), 30)).find("No such file"),
            std::string::npos);
  EXPECT_NE(told(read_key_file(file("c", std::string(70'000, ' ')), 30)).find("longer than 65536"),
            std::string::npos);
}

class LedgerTest : public KeysTest {
 protected:
  LedgerTest() {
    StreamSpec stream;
    stream.name = "s";
    stream.restamp.ssrc = 0xffffffff;
    stream.outputs.resize(1);
    stream.outputs[0].protect.profile = ProtectProfile::SrtpCm;
    stream.outputs[0].protect.keys = test::one_key(share_key(from_hex(kHex)));
    spec_.streams.push_back(stream);
    spec_.appliance.state_dir = (place_ / "state").string();
  }
  std::uint32_t start() const {
    Spec started = spec_;
    assign_ssrcs(started, nullptr);
    return ssrc_of(started.streams[0]);
  }

  Spec spec_;
};

TEST_F(LedgerTest, each_start_has_another_ssrc_under_one_key) {
  EXPECT_EQ(start(), 0xffffffffu);
  EXPECT_EQ(start(), 0u);
  EXPECT_EQ(start(), 1u);
  spec_.streams[0].restamp.ssrc = 0;  // the operator wants one that was
  EXPECT_EQ(start(), 2u);
  spec_.streams[0].name = "renamed";
  EXPECT_EQ(start(), 3u);
  spec_.streams[0].outputs[0].protect.keys =
      test::one_key(share_key(from_hex("11" + kHex.substr(2))));
  EXPECT_EQ(start(), 0u);  // another key begins anew
}

TEST_F(LedgerTest, a_reload_keeps_the_ssrc_of_a_stream_whose_keys_stay) {
  Spec running = spec_;
  assign_ssrcs(running, nullptr);
  Spec wanted = spec_;
  wanted.streams[0].restamp.ssrc = 77;
  assign_ssrcs(wanted, &running);
  EXPECT_EQ(ssrc_of(wanted.streams[0]), 0xffffffffu);
  // Away and back: it is another use of the key.
  Spec clear = spec_;
  clear.streams[0].outputs[0].protect = {};
  assign_ssrcs(clear, &wanted);
  Spec back = spec_;
  assign_ssrcs(back, &clear);
  EXPECT_EQ(ssrc_of(back.streams[0]), 0u);
}

TEST_F(LedgerTest, further_keys_keep_the_ssrc_unless_they_had_it) {
  const EpochKey first{1, share_key(from_hex(kHex)), nullptr};
  const EpochKey second{2, share_key(from_hex(hex_of(2))), nullptr};
  const EpochKey third{3, share_key(from_hex(hex_of(3))), nullptr};
  const auto with = [&](std::vector<EpochKey> keys) {
    Spec spec = spec_;
    spec.streams[0].outputs[0].protect.keys = std::move(keys);
    return spec;
  };
  Spec before = with({third});
  assign_ssrcs(before, nullptr);
  EXPECT_EQ(ssrc_of(before.streams[0]), 0xffffffffu);
  Spec running = with({first});
  assign_ssrcs(running, nullptr);
  EXPECT_EQ(ssrc_of(running.streams[0]), 0xffffffffu);
  Spec more = with({first, second});
  assign_ssrcs(more, &running);
  EXPECT_EQ(ssrc_of(more.streams[0]), 0xffffffffu);
  Spec old = with({first, second, third});
  assign_ssrcs(old, &more);
  EXPECT_EQ(ssrc_of(old.streams[0]), 0u);
}

TEST_F(LedgerTest, where_the_disk_refuses_it_is_by_chance) {
  std::filesystem::create_directories(place_ / "state");
  std::filesystem::create_directories(place_ / "state" / "ssrc.new");  // a file is wanted there
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 20; ++i) seen.insert(start());
  EXPECT_EQ(seen.size(), 20u);
  EXPECT_FALSE(std::filesystem::exists(place_ / "state" / "ssrc"));
}

TEST_F(LedgerTest, a_ledger_that_is_damaged_is_not_believed) {
  std::filesystem::create_directories(place_ / "state");
  std::ofstream(place_ / "state" / "ssrc") << "0011223344556677 ffffffff\ngarbage\n";
  EXPECT_NE(start(), start());
  EXPECT_FALSE(SsrcLedger::read((place_ / "state" / "ssrc").string()));
}

TEST_F(LedgerTest, says_nothing_of_the_keys) {
  EXPECT_EQ(start(), 0xffffffffu);
  std::ifstream file(place_ / "state" / "ssrc");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text.size(), 16u + 1 + 8 + 1);
  EXPECT_EQ(text.find(kHex.substr(0, 8)), std::string::npos);
  struct stat found{};
  ASSERT_EQ(::stat((place_ / "state" / "ssrc").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777u, 0600u);
}

}  // namespace
}  // namespace castgate
