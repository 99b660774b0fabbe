// All candidates of tests/adversarial/cuda through the stages that need no device: what host code
// tries has to end there, and everything else has to come through.

#include "reward/cuda/front_end.hpp"

#include "reward/base/programs.hpp"
#include "tests/adversarial/candidate_file.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace atl {
namespace {

using testing::ListedCandidate;

const std::vector<ListedCandidate>& attacks() {
    static const std::vector<ListedCandidate> all = testing::load_candidates("cuda/attacks");
    return all;
}

const std::vector<ListedCandidate>& honest() {
    static const std::vector<ListedCandidate> all = testing::load_candidates("cuda/honest");
    return all;
}

std::string test_name(const ::testing::TestParamInfo<ListedCandidate>& info) {
    return info.param.name;
}

/// One front end for all candidates: starting its workers takes seconds.
class CudaCandidate : public testing::NvrtcTest,
                      public ::testing::WithParamInterface<ListedCandidate> {
  protected:
    static void TearDownTestSuite() { s_front_end.reset(); }

    void SetUp() override {
        NvrtcTest::SetUp();
        if (!IsSkipped() && find_programs("clang++").empty()) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
        if (!IsSkipped() && probe_sandbox().level == SandboxLevel::none) {
            ATOLL_SKIP_OR_FAIL("no jail on this machine, so no attack runs: see atoll doctor");
        }
        if (!IsSkipped() && s_front_end == nullptr) {
            make_front_end();
        }
    }

    [[nodiscard]] FrontEndReply prepare(const ListedCandidate& file) const {
        FrontEndRequest request;
        request.task = s_task;
        request.source = file.source;
        request.with_hidden = true;
        request.compile_timeout_s = file.limits == "compile" ? 3 : 60;
        return value_or_throw(s_front_end->prepare(request));
    }

  private:
    void make_front_end() const {
        s_task = value_or_throw(load_task(testing::k_adversarial_folder / "task", "cuda"));
        const SandboxLevel level = probe_sandbox().level;
        FrontEndOptions options;
        options.device = *device_limits_of("sm_90a");
        options.device_compiler.nvrtc = place().library;
        options.device_compiler.include = place().include;
        options.device_compiler.architecture = options.device.arch;
        options.device_compiler.required = level;
        options.recorder.required = level;
        options.recorder.launch_timeout_s = 1;
        s_front_end = value_or_throw(CudaFrontEnd::make(std::move(options)));
    }

    inline static TaskPtr s_task;
    inline static std::unique_ptr<CudaFrontEnd> s_front_end;
};

class CudaAttack : public CudaCandidate {};

TEST_P(CudaAttack, EndsWhereItMust) {
    const ListedCandidate& file = GetParam();
    const FrontEndReply reply = prepare(file);
    const std::string all = reply.reason + reply.log;
    if (reply.fault) {
        std::printf("           %s: %.150s\n", std::string(to_string(*reply.fault)).c_str(),
                    reply.reason.c_str());
        EXPECT_TRUE(file.expected.contains(*reply.fault)) << reply.reason << "\n" << reply.log;
        EXPECT_FALSE(reply.reason.empty());
        EXPECT_TRUE(reply.plans.empty());
    }
    EXPECT_EQ(all.find("root:"), std::string::npos) << all;
    if (!file.never_says.empty()) {
        EXPECT_EQ(all.find(file.never_says), std::string::npos) << all;
    }
    if (!file.ends.empty()) {
        EXPECT_TRUE(reply.fault) << "a device would have to do with it";
    }
}
INSTANTIATE_TEST_SUITE_P(Adversarial, CudaAttack, ::testing::ValuesIn(attacks()), test_name);

class CudaHonest : public CudaCandidate {};

TEST_P(CudaHonest, ComesThrough) {
    const FrontEndReply reply = prepare(GetParam());
    EXPECT_FALSE(reply.fault) << to_string(*reply.fault) << ": " << reply.reason << "\n"
                              << reply.log;
}
INSTANTIATE_TEST_SUITE_P(Adversarial, CudaHonest, ::testing::ValuesIn(honest()), test_name);

TEST(CudaSuite, HasAtLeastAsManyHonestKernelsAsAttacks) {
    EXPECT_GE(honest().size(), attacks().size());
    for (const ListedCandidate& file : honest()) {
        EXPECT_THAT(file.expected, ::testing::ElementsAre(Outcome::passed)) << file.name;
    }
}

TEST(CudaSuite, SaysOfEachAttackWhereItEnds) {
    for (const ListedCandidate& file : attacks()) {
        EXPECT_THAT(file.ends, ::testing::AnyOf("", "record", "compile", "check")) << file.name;
        // What can pass must not have gained anything.
        if (file.expected.contains(Outcome::passed) && file.level == Level::measure) {
            EXPECT_GT(file.at_least_us, 0) << file.name;
        }
    }
}

}  // namespace
}  // namespace atl
