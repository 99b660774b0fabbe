#include "reward/base/files.hpp"

#include "reward/base/folders.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace atl {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
  protected:
    Files() {
        std::string name = (fs::temp_directory_path() / "atoll_files_XXXXXX").string();
        m_folder = ::mkdtemp(name.data());
    }
    ~Files() override { fs::remove_all(m_folder); }
    fs::path m_folder;
};

TEST_F(Files, AHandleClosesWhatItOwnsOnce) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    {
        FileHandle first(ends[0]);
        FileHandle second(std::move(first));
        EXPECT_FALSE(first);
        EXPECT_EQ(second.get(), ends[0]);
        second.reset(ends[1]);
        EXPECT_EQ(::fcntl(ends[0], F_GETFD), -1);
        EXPECT_NE(::fcntl(ends[1], F_GETFD), -1);
    }
    EXPECT_EQ(::fcntl(ends[1], F_GETFD), -1);
}

TEST_F(Files, ReadsAWholeFileUpToALimit) {
    std::ofstream(m_folder / "a") << std::string(200'000, 'x');
    EXPECT_EQ(*read_file(m_folder / "a", 200'000), std::string(200'000, 'x'));
    EXPECT_EQ(read_file(m_folder / "a", 199'999).error().code, ErrorCode::limit);
    EXPECT_EQ(read_file(m_folder / "none", 10).error().code, ErrorCode::not_found);
    EXPECT_FALSE(read_file(m_folder, 10));
    // Files without a length, such as those of /proc.
    EXPECT_FALSE(read_file("/proc/self/status", 1 << 20)->empty());
}

TEST_F(Files, APipeIsRefusedRatherThanWaitedFor) {
    const fs::path fifo = m_folder / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    ::alarm(20);  // instead of waiting for ever
    const auto alone = read_file(fifo, 10);
    const int writer = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
    const auto silent = read_file(fifo, 10);
    ::alarm(0);
    ::close(writer);
    for (const auto* result : {&alone, &silent}) {
        ASSERT_FALSE(*result);
        EXPECT_EQ(result->error().message(),
                  fifo.string() + ": is a pipe or a socket (give a file)");
    }
    EXPECT_EQ(read_file("/dev/null", 10).value(), "");
    EXPECT_EQ(read_file("/dev/zero", 10).error().code, ErrorCode::limit);
}

TEST_F(Files, WritesDurablyAndLeavesNothingElse) {
    const fs::path path = m_folder / "a";
    ASSERT_TRUE(write_file_durably(path, "old"));
    ASSERT_TRUE(write_file_durably(path, "new"));
    EXPECT_EQ(*read_file(path, 100), "new");
    EXPECT_EQ(std::distance(fs::directory_iterator(m_folder), {}), 1);
}

TEST_F(Files, AFailedWriteLeavesTheOldTextAndNoTemporaryFile) {
    // The target is a folder, so the last step, the rename, fails.
    fs::create_directory(m_folder / "a");
    EXPECT_FALSE(write_file_durably(m_folder / "a", "new"));
    EXPECT_EQ(std::distance(fs::directory_iterator(m_folder), {}), 1);
    const Status status = write_file_durably(m_folder / "none" / "a", "x");
    EXPECT_EQ(status.error().code, ErrorCode::not_found);
    EXPECT_NE(status.error().message().find("none"), std::string::npos);
}

TEST_F(Files, AnAppendFileGrowsIsCutAndIsReadByPosition) {
    auto file = open_append_file(m_folder / "a");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->append("hello"));
    ASSERT_TRUE((*file)->append(", world"));
    EXPECT_EQ((*file)->size(), 12u);
    EXPECT_EQ(*(*file)->read_at(7, 100), "world");
    EXPECT_EQ(*(*file)->read_at(100, 5), "");
    ASSERT_TRUE((*file)->truncate(4));
    ASSERT_TRUE((*file)->append("!"));
    ASSERT_TRUE((*file)->sync());
    file->reset();
    auto again = open_append_file(m_folder / "a");
    EXPECT_EQ((*again)->size(), 5u);
    ASSERT_TRUE((*again)->append("?"));
    EXPECT_EQ(*read_file(m_folder / "a", 100), "hell!?");
    const auto readable = open_readable_file(m_folder / "a");
    ASSERT_TRUE(readable);
    EXPECT_EQ(*(*readable)->read_at(4, 2), "!?");
    EXPECT_EQ(open_readable_file(m_folder / "none").error().code, ErrorCode::not_found);
}

TEST_F(Files, AFullDiskSaysSo) {
    auto file = open_append_file("/dev/full");
    ASSERT_TRUE(file) << file.error().message();
    const Status status = (*file)->append("x");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::no_space);
    EXPECT_NE(status.error().message().find("free space"), std::string::npos);
    // Not every verb has something to resume.
    EXPECT_EQ(status.error().message().find("resume"), std::string::npos);
}

TEST_F(Files, AFolderIsClaimedOnce) {
    auto lock = FolderLock::acquire(m_folder);
    ASSERT_TRUE(lock);
    const auto second = FolderLock::acquire(m_folder);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::already_exists);
    const std::string message = second.error().message();
    EXPECT_NE(message.find("process " + std::to_string(::getpid()) + " on "), std::string::npos)
        << message;
    EXPECT_NE(message.find(m_folder.string()), std::string::npos) << message;
    { const FolderLock moved = std::move(*lock); }
    EXPECT_TRUE(FolderLock::acquire(m_folder));
}

TEST_F(Files, AClaimEndsWithItsProcess) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = FolderLock::acquire(m_folder);
        (void)!::write(ready[1], lock ? "y" : "n", 1);
        ::pause();
        ::_exit(0);
    }
    char answer = 0;
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    ASSERT_EQ(answer, 'y');
    const auto refused = FolderLock::acquire(m_folder);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("process " + std::to_string(child)),
              std::string::npos);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(FolderLock::acquire(m_folder));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(Files, FoldersThatAreMissingAreMade) {
    const fs::path deep = m_folder / "a" / "b" / "c";
    ASSERT_TRUE(create_folders_durably(deep));
    EXPECT_TRUE(fs::is_directory(deep));
    EXPECT_TRUE(create_folders_durably(deep));
    EXPECT_TRUE(create_folders_durably(m_folder / "d" / ""));
    EXPECT_TRUE(fs::is_directory(m_folder / "d"));
    ASSERT_TRUE(write_file_durably(m_folder / "file", ""));
    for (const auto& path : {m_folder / "file", m_folder / "file" / "x"}) {
        const Status refused = create_folders_durably(path);
        ASSERT_FALSE(refused) << path;
        EXPECT_EQ(refused.error().where, (m_folder / "file").string());
    }
}

}  // namespace
}  // namespace atl
