// `atoll plan`, through the real program, clang and jail.

#include "reward/cuda/plan.hpp"

#include "reward/base/programs.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/skip_or_fail.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <filesystem>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::ShellResult;

constexpr const char* k_right = R"(#include <cuda_runtime.h>
__global__ void k(const float* x, float* y, int n) { y[threadIdx.x] = __expf(x[0]); }
void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    k<<<rows, 128, 0, stream>>>(x, y, cols);
}
)";

class PlanCommand : public ::testing::Test {
  protected:
    void SetUp() override {
        if (find_programs("clang++").empty()) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
        m_files.write("reference.cu", "// never compiled for a plan\n");
    }
    [[nodiscard]] ShellResult plan(const std::string& source, const std::string& more = "") const {
        testing::write_text(m_files.folder() / "candidate.cu", source);
        return testing::run_shell("cd / && " ATOLL_BIN_DIR "/atoll plan " +
                                  (m_files.folder() / "candidate.cu").string() + " --task " +
                                  m_files.folder().string() + " " + more);
    }
    testing::SmallTask m_files;
};

TEST_F(PlanCommand, PrintsOnePlanPerPublicWorkload) {
    const ShellResult shown = plan(k_right);
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out,
                HasSubstr("odd: cols=17 rows=3\n    1 line 5    launch _Z1kPKfPfi grid "
                          "(3, 1, 1) block (128, 1, 1) arguments input 0, output 0, 17"));
    EXPECT_THAT(shown.out, HasSubstr("large: cols=256 rows=64"));
    EXPECT_THAT(shown.out, ::testing::Not(HasSubstr("secret")));
    const auto json = nlohmann::json::parse(plan(k_right, "--json").out);
    EXPECT_EQ(json["workloads"].size(), 4u);
    EXPECT_TRUE(parse_plan(json["workloads"][0]["plan"].dump()));
}

TEST_F(PlanCommand, SaysWhereALauncherAsksForNothing) {
    std::string nothing = k_right;
    nothing.replace(nothing.find("    k<<<"), std::string("    k<<<").size(),
                    "    if (cols == 17) k<<<");
    const ShellResult shown = plan(nothing);
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("large: cols=256 rows=64\n    nothing is asked for"));
}

TEST_F(PlanCommand, KnowsThePlansThatPtxBringsAlong) {
    testing::write_text(m_files.folder() / "candidate.ptx",
                        "// plan: {\"steps\": [{\"launch\": \"f\", \"grid\": [\"rows\"], "
                        "\"block\": [32], \"arguments\": [\"y\"]}]}\n"
                        ".version 8.0\n.target sm_90a\n.address_size 64\n"
                        ".visible .entry f(.param .u64 y) { ret; }\n");
    const ShellResult shown = testing::run_shell("cd / && " ATOLL_BIN_DIR "/atoll plan " +
                                                 (m_files.folder() / "candidate.ptx").string() +
                                                 " --task " + m_files.folder().string());
    if (shown.status == 3) {
        ATOLL_SKIP_OR_FAIL("there is no NVRTC or no nvJitLink: " + shown.err);
    }
    EXPECT_EQ(shown.status, 0) << shown.out << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("odd: cols=17 rows=3\n"));
    EXPECT_THAT(shown.out,
                HasSubstr("launch f grid (3, 1, 1) block (32, 1, 1) arguments output 0"));
    EXPECT_THAT(shown.out, ::testing::Not(HasSubstr("launcher compiled")));
}

/// PREFIX/bin with all programs of this machine but clang's.
std::filesystem::path without_clang(const std::filesystem::path& prefix) {
    namespace fs = std::filesystem;
    fs::create_directories(prefix / "bin");
    for (const fs::directory_entry& program : fs::directory_iterator("/usr/bin")) {
        const std::string name = program.path().filename().string();
        if (!name.starts_with("clang")) {
            fs::create_symlink(program.path(), prefix / "bin" / name);
        }
    }
    fs::permissions(prefix, fs::perms(0755));  // its jail's user looks into it
    return prefix / "bin";
}

/// Real launchers, from the program to its plans, where there is no compiler but g++. What it makes
/// of single constructs is compared with clang in unit tests.
class PlanWithoutClang : public ::testing::Test {
  protected:
    [[nodiscard]] ShellResult atoll(const std::string& arguments) const {
        return testing::run_shell("cd / && ATOLL_TASKS=" + m_tasks + " PATH=" + m_path.string() +
                                  " " ATOLL_BIN_DIR "/atoll " + arguments);
    }
    [[nodiscard]] ShellResult plan(const std::string& task, const std::string& name) const {
        return atoll("plan " + m_tasks + "/" + task + "/starters/" + name + ".cu --task " + task);
    }

    const std::string m_tasks = ATOLL_SOURCE_DIR "/experiments/tasks";
    testing::TemporaryFolder m_folder;
    std::filesystem::path m_path = without_clang(m_folder.path());
};

TEST_F(PlanWithoutClang, StartersHaveTheirPlans) {
    const std::string doctor = atoll("doctor").out;
    EXPECT_THAT(doctor, ::testing::Not(HasSubstr("does not record")));
    EXPECT_THAT(doctor, ::testing::ContainsRegex("launchers +" + m_path.string() + "/g[+][+]: "));
    const ShellResult rows = plan("softmax", "2_row_in_registers");
    EXPECT_EQ(rows.status, 0) << rows.out << rows.err;
    EXPECT_THAT(rows.out, HasSubstr("launch _Z12softmax_keptPKfPfi grid (4, 1, 1) block "
                                    "(128, 1, 1) arguments input 0, output 0, 512"));
    const ShellResult ring = plan("gemm_bf16", "3_accelerated_ring");
    EXPECT_EQ(ring.status, 0) << ring.out << ring.err;
    EXPECT_THAT(ring.out, HasSubstr("launch _Z7productILi192EEv14CUtensorMap_stS0_S0_iii grid "
                                    "(4, 1, 1) block (384, 1, 1) cluster (2, 1, 1) shared 197696"));
    EXPECT_THAT(ring.out, HasSubstr(": input 1, "));
}

TEST_F(PlanWithoutClang, AGccThatIsTooOldIsNoFaultOfLaunchers) {
    const std::filesystem::path compiler = m_path / "g++";
    std::filesystem::remove(compiler);
    testing::write_text(compiler, "#!/bin/sh\nexec /usr/bin/g++ \"$@\" -std=c++98\n");
    std::filesystem::permissions(compiler, std::filesystem::perms(0755));
    EXPECT_THAT(atoll("doctor").out, ::testing::AllOf(HasSubstr("does not record what it must"),
                                                      HasSubstr("g++ 12 or newer")));
    const ShellResult rows = plan("softmax", "2_row_in_registers");
    EXPECT_EQ(rows.status, 3) << rows.out;
    EXPECT_THAT(rows.err, HasSubstr("does not record what it must"));
}

TEST_F(PlanCommand, IsOfATaskForCuda) {
    m_files.remove("reference.cu");
    const ShellResult refused = plan(k_right);
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, HasSubstr("has no reference.cu, which kind cuda needs"));
}

TEST_F(PlanCommand, SaysWhatIsWrongAndWhere) {
    std::string source = k_right;
    source.replace(source.find("    k<<<"), 4, "    cudaMemcpy(&rows, x, 4, cudaMemcpyDefault); ");
    const ShellResult refused = plan(source);
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.out,
                HasSubstr("rejected for workload odd in line 5: copies device memory"));
    EXPECT_EQ(nlohmann::json::parse(plan(source, "--json").out)["fault"]["line"], 5);
    EXPECT_THAT(plan("void launch(int) {}\n").out, HasSubstr("compile_error"));
    EXPECT_THAT(plan("__global__ void k() {}\nvoid launch(const float*, const float*, float, "
                     "float*, int, int, cudaStream_t) { k<<<1, 2000>>>(); }\n")
                    .out,
                HasSubstr("step 1 (line 2): kernel _Z1kv: block.x is 2000, must be 1 to 1024"));
    EXPECT_EQ(plan(k_right, "--arch sm_10").status, 2);
}

}  // namespace
}  // namespace atl
