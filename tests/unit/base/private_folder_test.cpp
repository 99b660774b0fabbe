#include "reward/base/private_folder.hpp"

#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace atl {
namespace {

namespace fs = std::filesystem;

class PrivateFolders : public ::testing::Test {
  protected:
    PrivateFolders() { ::setenv("TMPDIR", m_temporary.path().c_str(), 1); }
    ~PrivateFolders() override { ::unsetenv("TMPDIR"); }

    [[nodiscard]] const fs::path& temporary() const { return m_temporary.path(); }

  private:
    testing::TemporaryFolder m_temporary;
};

TEST_F(PrivateFolders, WhatNobodyHoldsIsSweptAndWhatIsHeldStays) {
    fs::create_directories(temporary() / "atoll-x-dead" / "inner");
    fs::create_directories(temporary() / "other");
    const auto first = PrivateFolder::make("atoll-x-");
    const auto second = PrivateFolder::make("atoll-x-");
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(fs::exists(temporary() / "atoll-x-dead"));
    EXPECT_TRUE(fs::exists(temporary() / "other"));
    EXPECT_TRUE(fs::exists(first->path()));
    EXPECT_TRUE(fs::exists(second->path()));
}

/// Sweeps as another process would that loses the processor between locking and removing. Notes
/// what it locked.
std::set<std::string> sweep_slowly(const fs::path& parent, const std::atomic<bool>& over) {
    std::set<std::string> locked;
    while (!over) {
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(parent, ignored)) {
            const FileHandle folder(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY));
            if (folder && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) {
                locked.insert(entry.path().string());
                std::this_thread::sleep_for(std::chrono::microseconds(100));
                fs::remove_all(entry.path());
            }
        }
    }
    return locked;
}

// A judge whose folder vanished under it gave its candidate a verdict.
TEST_F(PrivateFolders, NobodyGetsOneThatSomebodyElseIsSweeping) {
    std::atomic<bool> over{false};
    std::set<std::string> locked;
    std::thread sweeper([&] { locked = sweep_slowly(temporary(), over); });
    std::vector<PrivateFolder> held;
    for (int i = 0; i < 500; ++i) {
        auto folder = PrivateFolder::make("atoll-" + std::to_string(i) + "-");
        ASSERT_TRUE(folder) << folder.error().message();
        held.push_back(std::move(*folder));
    }
    over = true;
    sweeper.join();
    for (const PrivateFolder& folder : held) {
        EXPECT_FALSE(locked.contains(folder.path().string())) << folder.path();
        EXPECT_TRUE(fs::exists(folder.path()));
    }
}

}  // namespace
}  // namespace atl
