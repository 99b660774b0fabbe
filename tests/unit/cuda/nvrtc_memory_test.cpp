#include "reward/workers/nvrtc_memory.hpp"

#include "reward/base/hash.hpp"
#include "reward/worker_calls.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

namespace atl {
namespace {

constexpr int k_both = PROT_READ | PROT_WRITE;

/// A mapping as NVRTC makes it for its precompiled headers.
class NvrtcMemoryTest : public ::testing::Test {
  protected:
    void SetUp() override {
        begin_to_keep_precompiled_headers();
        void* const heap = map_memory(nullptr, k_precompiled_heap_bytes, k_both,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(heap, MAP_FAILED);
        m_heap = static_cast<char*>(heap);
        m_text.assign(3 * 4096, 'x');
        m_text.replace(4096, 5, "later");
        Expected<FileHandle> file = memory_file_of(m_text);
        ASSERT_TRUE(file) << file.error().message();
        m_file = std::move(*file);
    }
    void TearDown() override { ::munmap(m_heap, k_precompiled_heap_bytes); }

    /// Whether a memfd is what is mapped there.
    [[nodiscard]] static bool is_mapped(const void* address) {
        FILE* const maps = std::fopen("/proc/self/maps", "r");
        char line[512];
        bool found = false;
        while (maps != nullptr && std::fgets(line, sizeof(line), maps) != nullptr) {
            unsigned long begin = 0;
            unsigned long end = 0;
            const auto at = reinterpret_cast<unsigned long>(address);
            found = found || (std::sscanf(line, "%lx-%lx", &begin, &end) == 2 && at >= begin &&
                              at < end && std::strstr(line, "memfd:") != nullptr);
        }
        if (maps != nullptr) {
            std::fclose(maps);
        }
        return found;
    }

    char* m_heap = nullptr;
    std::string m_text;
    FileHandle m_file;
};

TEST_F(NvrtcMemoryTest, AFileInThatMappingIsReadNotMapped) {
    std::memset(m_heap + 8192, 'o', 3 * 4096);
    void* const place =
        map_memory(m_heap + 8192, 3 * 4096, k_both, MAP_PRIVATE | MAP_FIXED, m_file.get(), 4096);
    ASSERT_EQ(place, m_heap + 8192);
    EXPECT_FALSE(is_mapped(place));
    EXPECT_EQ(std::string(m_heap + 8192, 8192), m_text.substr(4096));
    EXPECT_EQ(std::string(m_heap + 4 * 4096, 4096), std::string(4096, '\0')) << "behind its end";
    m_heap[8192] = 'w';  // stays here
    char byte = 0;
    ASSERT_EQ(::pread(m_file.get(), &byte, 1, 4096), 1);
    EXPECT_EQ(byte, 'l');
}

TEST_F(NvrtcMemoryTest, AllElseIsMappedByTheKernel) {
    void* const elsewhere = map_memory(nullptr, 4096, k_both, MAP_PRIVATE, m_file.get(), 0);
    ASSERT_NE(elsewhere, MAP_FAILED);
    EXPECT_TRUE(is_mapped(elsewhere));
    ::munmap(elsewhere, 4096);
    for (const auto& [protection, flags] : {std::pair(PROT_READ, MAP_PRIVATE | MAP_FIXED),
                                            std::pair(k_both, MAP_SHARED | MAP_FIXED)}) {
        void* const inside = map_memory(m_heap, 4096, protection, flags, m_file.get(), 0);
        ASSERT_EQ(inside, m_heap);
        EXPECT_TRUE(is_mapped(inside));
    }
    errno = 0;
    EXPECT_EQ(map_memory(nullptr, 0, k_both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
    EXPECT_EQ(errno, EINVAL);
}

std::string path_of(const char* library) {
    std::pair<const char*, std::string> found(library, "");
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* argument) {
            auto& [wanted, path] = *static_cast<std::pair<const char*, std::string>*>(argument);
            if (std::strstr(info->dlpi_name, wanted) != nullptr) {
                path = info->dlpi_name;
            }
            return 0;
        },
        &found);
    return found.second;
}

TEST(NvrtcMemory, CodeAndConstantsThatMovedAreTheSame) {
    // Whether they are moved depends on the machine; a library without 2 MiB of them never is.
    EXPECT_FALSE(move_to_huge_pages("no such library"));
    const std::string path = path_of("libcrypto");
    ASSERT_FALSE(path.empty());
    const Digest before = content_id("text");
    (void)move_to_huge_pages(path);
    EXPECT_EQ(content_id("text"), before);
}

TEST(NvrtcMemory, VariablesAndMallocGoOnInMemoryOfItsOwn) {
    const testing::TemporaryFolder folder;
    const std::string file = (folder.path() / "libvariables.so").string();
    std::ofstream(file + ".c") << "int first = 7, many[2 << 20];\n"
                                  "int* at(int i) { return i < 0 ? &first : &many[i]; }\n";
    const auto made = testing::run_shell("gcc -shared -fPIC -o " + file + " " + file + ".c");
    ASSERT_EQ(made.status, 0) << made.err;
    void* const library = ::dlopen(file.c_str(), RTLD_NOW);
    ASSERT_NE(library, nullptr) << ::dlerror();
    const auto at = reinterpret_cast<int* (*)(int)>(::dlsym(library, "at"));
    ASSERT_NE(at, nullptr);
    for (int i = 0; i < 2 << 20; i += 1000) {
        *at(i) = i;
    }
    take_own_memory(file);
    EXPECT_EQ(*at(-1), 7);
    for (int i = 0; i < 2 << 20; i += 1000) {
        ASSERT_EQ(*at(i), i);
        *at(i) = -i;
        ASSERT_EQ(*at(i), -i);
    }
    for (std::size_t bytes = 1; bytes < (64u << 20); bytes *= 3) {
        const std::string block(bytes, 'a');
        EXPECT_EQ(block.back(), 'a');
    }
}

/// A library's variables that a child has taken cost it no faults afterwards.
TEST(NvrtcMemory, WhatAChildHasTakenCausesNoMoreFaults) {
    const std::string path = path_of("libcrypto");
    ASSERT_FALSE(path.empty());
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
        take_own_memory(path);
        rusage before{};
        rusage after{};
        ::getrusage(RUSAGE_SELF, &before);
        char* const block = static_cast<char*>(std::malloc(8u << 20));  // NOLINT
        for (std::size_t i = 0; i < 8u << 20; i += 4096) {
            block[i] = 1;
        }
        ::getrusage(RUSAGE_SELF, &after);
        ::_exit(after.ru_minflt - before.ru_minflt < 100 ? 0 : 1);  // 2048 otherwise
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace atl
