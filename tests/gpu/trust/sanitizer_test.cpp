// The real compute-sanitizer on plans of candidates: nothing said of an honest one, and what is
// wrong with two others, of which the comparison of answers need not notice anything.

#include "reward/gpu/sanitizer.hpp"

#include "reward/gpu_devices.hpp"
#include "reward/kinds/cuda_program.hpp"
#include "tests/gpu/trust/trust_fixture.hpp"

#include <gmock/gmock.h>

#include <cstdio>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Sanitizer : public ::testing::Test {
  protected:
    void SetUp() override {
        const Expected<std::string> program = find_compute_sanitizer();
        if (!program) {
            GTEST_SKIP() << program.error().message();
        }
        m_program = *program;
    }

    [[nodiscard]] SanitizerReport report_on(const std::string& file) const {
        const LocalEvaluatorOptions options = testing::GpuJudge::options();
        const CudaToolkit toolkit = find_toolkit(options);
        static const std::unique_ptr<CudaFrontEnd> front_end =
            value_or_throw(make_gpu_front_end(options, toolkit));
        const EvaluationRequest request = testing::request_for(
            testing::load_candidate(testing::k_adversarial_folder / "cuda" / (file + ".cu")));
        const FrontEndReply prepared = value_or_throw(
            front_end->prepare(front_end_request(request, request.candidate, options.limits, {})));
        EXPECT_FALSE(prepared.fault) << prepared.reason;
        SanitizerOptions sanitizer;
        sanitizer.program = m_program;
        sanitizer.tools = {"memcheck", "racecheck"};
        sanitizer.driver = toolkit.driver->path;
        SanitizerReport report = value_or_throw(sanitize(*request.task, prepared, sanitizer));
        for (const std::string& line : report.lines) {
            std::printf("           %.200s\n", line.c_str());
        }
        return report;
    }

  private:
    std::string m_program;
};

TEST_F(Sanitizer, SaysNothingOfAnHonestKernel) {
    const SanitizerReport report = report_on("honest/block_per_row_plain");
    EXPECT_FALSE(report.fault) << report.reason;
    EXPECT_THAT(report.lines, IsEmpty());
}

TEST_F(Sanitizer, FindsAWritePastTheEnd) {
    const SanitizerReport report = report_on("attacks/write_past_the_end_and_repair");
    EXPECT_EQ(report.fault, Outcome::memory_fault);
    EXPECT_THAT(report.reason, HasSubstr("memcheck"));
}

TEST_F(Sanitizer, FindsARaceInSharedMemory) {
    const SanitizerReport report = report_on("attacks/racy_sum");
    EXPECT_EQ(report.fault, Outcome::inconsistent);
    EXPECT_THAT(report.reason, HasSubstr("racecheck"));
}

}  // namespace
}  // namespace atl
