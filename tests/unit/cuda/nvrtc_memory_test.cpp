#include "reward/workers/nvrtc_memory.hpp"

#include "reward/base/hash.hpp"
#include "reward/worker_calls.hpp"

#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace atl {
namespace {

constexpr int k_both = PROT_READ | PROT_WRITE;

/// A mapping as NVRTC makes it for its precompiled headers.
class NvrtcMemoryTest : public testing::Test {
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

TEST(NvrtcMemory, CodeThatMovedStillRuns) {
    // Whether it is moved depends on the machine; a library without 2 MiB of code never is.
    EXPECT_FALSE(move_code_to_huge_pages("no such library"));
    std::string path;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* found) {
            if (std::strstr(info->dlpi_name, "libcrypto") != nullptr) {
                *static_cast<std::string*>(found) = info->dlpi_name;
            }
            return 0;
        },
        &path);
    ASSERT_FALSE(path.empty());
    const Digest before = content_id("text");
    (void)move_code_to_huge_pages(path);
    EXPECT_EQ(content_id("text"), before);
}

TEST(NvrtcMemory, MallocGoesOn) {
    give_malloc_huge_pages();
    for (std::size_t bytes = 1; bytes < (64u << 20); bytes *= 3) {
        const std::string block(bytes, 'a');
        EXPECT_EQ(block.back(), 'a');
    }
}

}  // namespace
}  // namespace atl
