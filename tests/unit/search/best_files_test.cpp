#include "search/best_files.hpp"

#include "reward/verdict.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(BestFiles, TheCommandNamesTheCompilerThatConfirmedIt) {
    const testing::TemporaryFolder folder;
    Verdict verdict;
    verdict.compile.emplace();
    verdict.compile->compiler = "Debian clang version 14.0.6 at /opt/my tools/clang++";
    const auto write = [&] {
        return write_best_files(folder.path(), {}, {}, {"cpu_cpp", "int x;\n", {}, {"-O2"}}, {},
                                to_json(verdict));
    };
    ASSERT_TRUE(write());
    EXPECT_THAT(text_of(folder.path() / "best.cpp"),
                HasSubstr("\n// Compile: '/opt/my tools/clang++' -std="));
    const auto json = nlohmann::json::parse(text_of(folder.path() / "best.json"));
    EXPECT_THAT(json.at("compile").get<std::string>(), StartsWith("'/opt/my tools/clang++' -std="));
    verdict.compile.reset();
    ASSERT_TRUE(write());
    EXPECT_THAT(text_of(folder.path() / "best.cpp"), HasSubstr("\n// Compile: g++ -std="));
}

TEST(BestFiles, AKernelForAGpuIsACuFileWithoutAHostCompilersCommand) {
    const testing::TemporaryFolder folder;
    Task task;
    task.kind = "cuda";
    ASSERT_TRUE(write_best_files(folder.path(), task, {}, {"cuda", "int x;\n", {}, {}}, {},
                                 to_json(Verdict())));
    EXPECT_THAT(text_of(folder.path() / "best.cu"),
                AllOf(HasSubstr("int x;"), Not(HasSubstr("Compile:"))));
    EXPECT_FALSE(nlohmann::json::parse(text_of(folder.path() / "best.json")).contains("compile"));
}

}  // namespace
}  // namespace atl
