#include "reward/launch_contract.hpp"

#include "tests/unit/reward/task_fixture.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>

#include <array>
#include <cstdio>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmallTask;
using testing::TemporaryFolder;

struct Compiled {
    bool ok = false;
    std::string log;
};

Compiled compile(const std::string& source, const std::filesystem::path& output) {
    const std::filesystem::path file = output.parent_path() / "source.cpp";
    testing::write_text(file, source);
    const std::string command = "g++ -std=c++20 -Wall -Wextra -Werror -shared -fPIC -o " +
                                output.string() + " " + file.string() + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    Compiled result;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        result.log.append(buffer.data(), size);
    }
    result.ok = pclose(pipe) == 0;
    return result;
}

const std::string k_signature =
    "(const float* x, const float* bias, float alpha, float* y, int rows, int cols)";

class LaunchContract : public ::testing::Test {
  protected:
    Compiled compile_candidate(const std::string& source) const {
        return compile(with_entry_point(*m_task, source), m_folder.path() / "out.so");
    }

    SmallTask m_files;
    TaskPtr m_task = m_files.task();
    TemporaryFolder m_folder;
};

TEST_F(LaunchContract, StatesThePrototypes) {
    EXPECT_EQ(launch_prototype(*m_task), "extern \"C\" void launch" + k_signature);
    EXPECT_EQ(reference_prototype(*m_task),
              "extern \"C\" void reference(const float* x, const float* bias, float alpha, "
              "double* y, int rows, int cols)");
}

TEST_F(LaunchContract, PassesTensorsScalarsAndAxesInOrder) {
    const Compiled compiled = compile_candidate(m_task->starters[0].source);
    ASSERT_TRUE(compiled.ok) << compiled.log;
    void* library = dlopen((m_folder.path() / "out.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    using Entry = void (*)(void* const*, const double*, const long long*);
    const auto entry = reinterpret_cast<Entry>(dlsym(library, "atoll_entry"));
    ASSERT_NE(entry, nullptr);
    std::array<float, 2> x = {1, 3};
    std::array<float, 2> bias = {10, 20};
    std::array<float, 2> y = {};
    const std::array<void*, 3> tensors = {x.data(), bias.data(), y.data()};
    const double alpha = 2;
    const std::array<long long, 2> axes = {1, 2};
    entry(tensors.data(), &alpha, axes.data());
    EXPECT_EQ(y[0], 2 * 1 + 10 + 2);
    EXPECT_EQ(y[1], 2 * 3 + 20 + 2);
    dlclose(library);
}

TEST_F(LaunchContract, KeepsTheCandidatesLineNumbers) {
    const Compiled compiled = compile_candidate("int a;\nint b = nonsense;\n");
    EXPECT_FALSE(compiled.ok);
    EXPECT_THAT(compiled.log, HasSubstr("source.cpp:2:"));
}

TEST_F(LaunchContract, AcceptsOtherSpellingsOfTheSameFunction) {
    for (const std::string& source :
         std::vector<std::string>{"void launch" + k_signature + " {}",
                                  "static void launch" + k_signature + " noexcept {}",
                                  "extern \"C\" void launch(const float* __restrict__, const "
                                  "float*, const float, float* "
                                  "__restrict__, int, int) {}",
                                  "void launch(int) {}\nvoid launch" + k_signature + " {}"}) {
        std::string quiet = "#pragma GCC diagnostic ignored \"-Wunused-parameter\"\n" + source;
        const Compiled compiled = compile_candidate(quiet);
        EXPECT_TRUE(compiled.ok) << source << "\n" << compiled.log;
    }
}

TEST_F(LaunchContract, ExplainsWrongSignatures) {
    for (const char* source :
         {"int a;", "extern \"C\" void launch(float* x) { *x = 1; }",
          "extern \"C\" int launch(const float*, const float*, float, float*, int, int) {return "
          "0;}",
          "extern \"C\" void launch(const float*, const float*, float, double*, int, int) {}",
          "extern \"C\" void run(const float*, const float*, float, float*, int, int) {}"}) {
        const Compiled compiled = compile_candidate(source);
        EXPECT_FALSE(compiled.ok) << source;
        EXPECT_THAT(compiled.log, HasSubstr("launch")) << source;
        EXPECT_THAT(compiled.log, HasSubstr("void launch" + k_signature)) << source;
    }
}

// What a candidate's text ends with, or redefines, must not reach into the generated lines.
TEST_F(LaunchContract, StandsUpToHostileText) {
    const std::string good =
        "#pragma GCC diagnostic ignored \"-Wunused-parameter\"\n"
        "extern \"C\" void launch" +
        k_signature + " {}\n";
    for (const std::string& tail :
         {std::string("#define float double\n#define int long\n"),
          std::string("#define static_cast\n"), std::string("#define sizeof 1 ? 1 :\n"),
          std::string("#define atoll_entry other\n"),
          std::string("#define namespace\n#define extern static\n"), std::string("#define Z 1 \\"),
          std::string("#pragma GCC visibility push(hidden)\n"),
          std::string("#define launch(x) x\n")}) {
        const Compiled compiled = compile_candidate(good + tail);
        ASSERT_TRUE(compiled.ok) << tail << "\n" << compiled.log;
        void* library = dlopen((m_folder.path() / "out.so").c_str(), RTLD_NOW | RTLD_LOCAL);
        ASSERT_NE(library, nullptr);
        EXPECT_NE(dlsym(library, "atoll_entry"), nullptr) << tail;
        dlclose(library);
    }
    for (const char* tail :
         {"/*", "#if 0\n", "namespace a {\n", "R\"(", "extern \"C\" void atoll_entry() {}\n"}) {
        EXPECT_FALSE(compile_candidate(good + tail).ok) << tail;
    }
}

TEST_F(LaunchContract, ChecksTheReferenceLikewise) {
    const Compiled good = compile(with_reference_entry_point(*m_task), m_folder.path() / "ref.so");
    EXPECT_TRUE(good.ok) << good.log;
    m_files.replace("reference.cpp", "double* y", "float* y");
    const Compiled bad =
        compile(with_reference_entry_point(*m_files.task()), m_folder.path() / "ref.so");
    EXPECT_FALSE(bad.ok);
    EXPECT_THAT(bad.log, HasSubstr(reference_prototype(*m_task)));
}

}  // namespace
}  // namespace atl
