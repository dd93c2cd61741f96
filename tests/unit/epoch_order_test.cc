// SPDX-License-Identifier: Apache-2.0
// A stage that seals under a ledger whose disk is as slow as the test wants: what the ledger writes
// goes into a pipe that holds less than all of it.
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "controlplane/keys/epoch_ledger.h"
#include "controlplane/keys/ssrc_ledger.h"
#include "tests/support/protect_lab.h"

namespace castgate::test {
namespace {

class EpochOrderTest : public ProtectLab {
 protected:
  void SetUp() override {
    ProtectLab::SetUp();
    place_ =
        std::filesystem::temp_directory_path() / ("castgate-order-" + std::to_string(::getpid()));
    std::filesystem::create_directories(place_);
    protect() = protect_of(ProtectProfile::SrtpGcm);
    protect().mki_bytes = 1;
    protect().rekey_packets = 10;
    protect().keys.push_back({2, key_of(key_file_bytes(protect()), 2), nullptr});
  }
  void TearDown() override {
    std::filesystem::remove_all(place_);
    stage_.reset();
    ProtectLab::TearDown();
  }
  // Which keys sealed what was offered now.
  std::set<unsigned> epochs_of(unsigned packets) {
    sink_.frames.clear();
    for (unsigned n = 0; n < packets; ++n) offer(rtp_packet(offered_++, 0, kOwn, pattern(60)));
    std::set<unsigned> seen;
    for (const Bytes& frame : sink_.frames) seen.insert(frame.back());
    EXPECT_EQ(sink_.frames.size(), packets);
    return seen;
  }

  std::filesystem::path place_;
  unsigned offered_ = 0;
};

TEST_F(EpochOrderTest, until_its_epoch_is_written_the_key_before_it_goes_on_sealing) {
  constexpr std::size_t kLong = 200'000;  // more than any pipe holds
  std::ofstream(place_ / "epochs") << std::string(kLong, 'f') << " 1\n";
  EpochLedger ledger(place_.string());
  ledger.assign(spec, nullptr);
  make();
  EXPECT_EQ(epochs_of(10), std::set{1u});
  const std::string written_to = (place_ / "epochs.new").string();
  ASSERT_EQ(::mkfifo(written_to.c_str(), 0600), 0);

  EXPECT_EQ(epochs_of(100), std::set{1u});  // it asks for the next one
  ledger.turn();
  // Opens when the ledger does, which cannot end what it writes before the test has read most of
  // it.
  const int disk = ::open(written_to.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(disk, 0);
  EXPECT_EQ(protect().epochs->allowed(), 1u);
  EXPECT_EQ(epochs_of(500), std::set{1u});
  ledger.turn();  // nor does another turn help
  EXPECT_EQ(epochs_of(500), std::set{1u});

  std::string text;
  std::array<char, 4'096> some{};
  while (const ssize_t count = ::read(disk, some.data(), some.size())) {
    ASSERT_GT(count, 0);
    text.append(some.data(), static_cast<std::size_t>(count));
  }
  ::close(disk);
  EXPECT_NE(text.find(key_name(*protect().keys[1].key)), std::string::npos);
  while (protect().epochs->allowed() < 2) std::this_thread::yield();
  EXPECT_TRUE(epochs_of(200).contains(2));  // it is asked again within 64
  EXPECT_EQ(epochs_of(200), std::set{2u});
}

}  // namespace
}  // namespace castgate::test
