#include "reward/compile_service.hpp"

#include "tests/support/fake_compiler.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace atl {
namespace {

CompileRequest request(const std::string& source, std::vector<std::string> flags = {}) {
    CompileRequest request;
    request.source = source;
    request.flags = std::move(flags);
    return request;
}

class CompileServiceTest : public ::testing::Test {
  protected:
    void make(std::uint64_t memory_bytes = 1 << 20, std::size_t max_binaries = 100) {
        auto compiler = std::make_unique<testing::FakeCompiler>();
        m_fake = compiler.get();
        m_service =
            std::make_unique<CompileService>(std::move(compiler), memory_bytes, max_binaries);
    }

    testing::FakeCompiler* m_fake = nullptr;
    std::unique_ptr<CompileService> m_service;
};

TEST_F(CompileServiceTest, CompilesTheSameSourceOnce) {
    make();
    const Expected<CompiledBinary> first = m_service->compile(request("int x;"));
    const Expected<CompiledBinary> second = m_service->compile(request("int x;"));
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(first->cached);
    EXPECT_EQ(first->bytes, 6u);
    EXPECT_TRUE(second->cached);
    EXPECT_EQ(second->seconds, 0);
    EXPECT_EQ(first->binary, second->binary);
    EXPECT_EQ(m_fake->requests().size(), 1u);
    EXPECT_DOUBLE_EQ(m_service->seconds(), 0.5);
}

TEST_F(CompileServiceTest, FlagsAndLibrariesBelongToTheKey) {
    make();
    CompileRequest linked = request("int x;");
    linked.libraries = {"openblas"};
    for (const CompileRequest& order : {request("int x;"), request("int x;", {"-DA=1"}),
                                        request("int x;", {"-DA", "=1"}), linked}) {
        EXPECT_FALSE(m_service->compile(order)->cached);
    }
}

TEST_F(CompileServiceTest, FailuresAreNotKept) {
    make();
    EXPECT_EQ(m_service->compile(request("syntax error"))->status, CompileResult::Status::error);
    EXPECT_FALSE(m_service->compile(request("kill_the_compiler")));
    EXPECT_EQ(m_service->compile(request("syntax error"))->status, CompileResult::Status::error);
    EXPECT_EQ(m_fake->requests().size(), 3u);
}

TEST_F(CompileServiceTest, TheLeastRecentlyUsedBinaryLeaves) {
    make(20);
    const std::string a(8, 'a');
    const std::string b(8, 'b');
    const std::string c(8, 'c');
    EXPECT_FALSE(m_service->compile(request(a))->cached);
    EXPECT_FALSE(m_service->compile(request(b))->cached);
    EXPECT_TRUE(m_service->compile(request(a))->cached);
    EXPECT_FALSE(m_service->compile(request(c))->cached);
    EXPECT_TRUE(m_service->compile(request(a))->cached);
    EXPECT_FALSE(m_service->compile(request(b))->cached);
}

TEST_F(CompileServiceTest, TheNumberOfOpenFilesIsBounded) {
    make(1 << 20, 2);
    for (const char* source : {"1", "2", "3"}) {
        EXPECT_FALSE(m_service->compile(request(source))->cached);
    }
    EXPECT_TRUE(m_service->compile(request("3"))->cached);
    EXPECT_FALSE(m_service->compile(request("1"))->cached);
}

TEST_F(CompileServiceTest, ThreadsThatWantOneBinaryCompileItOnce) {
    make();
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { EXPECT_TRUE(m_service->compile(request("int shared;"))); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(m_fake->requests().size(), 1u);
}

TEST_F(CompileServiceTest, AFailureDoesNotStopThoseWhoWaitForTheSameSource) {
    make();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back(
            [&] { EXPECT_FALSE(m_service->compile(request("kill_the_compiler"))); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(m_fake->requests().size(), 4u);
}

}  // namespace
}  // namespace atl
