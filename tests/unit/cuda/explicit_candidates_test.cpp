// Candidates of the kinds ptx and cubin up to the device.

#include "reward/gpu/gpu_package.hpp"
#include "reward/kinds/kind.hpp"
#include "tests/adversarial/explicit_candidate.hpp"
#include "tests/support/fake_lane.hpp"
#include "tests/unit/cuda/front_end_fixture.hpp"

#include <gmock/gmock.h>

#include <map>

namespace atl {
namespace {

using testing::ExplicitCandidate;
using ::testing::HasSubstr;

class ExplicitCandidates : public testing::FrontEndTest {
  protected:
    void SetUp() override {
        FrontEndTest::SetUp();
        if (!IsSkipped() && options().device_compiler.jit_link.empty()) {
            ATOLL_SKIP_OR_FAIL("there is no nvJitLink beside NVRTC");
        }
    }
    static TaskPtr task() {
        static const TaskPtr loaded =
            value_or_throw(load_task(testing::k_adversarial_folder / "task", "ptx"));
        return loaded;
    }
    EvaluationRequest evaluation(const ExplicitCandidate& candidate) const {
        EvaluationRequest request;
        request.task = task();
        request.level = Level::confirm;
        request.candidate.kind = candidate.cubin ? "cubin" : "ptx";
        request.candidate.source = testing::explicit_source(candidate, library(), "sm_90a");
        return request;
    }
    static ExplicitCandidate named(const std::string& name) {
        for (ExplicitCandidate& one : testing::load_explicit_candidates()) {
            if (one.file.name == name) {
                return std::move(one);
            }
        }
        throw std::runtime_error("no candidate " + name);
    }
    static Prepared prepare(const EvaluationRequest& request) {
        const CandidateKind& kind = *find_kind(request.candidate.kind);
        EXPECT_EQ(kind.lint(*request.task, request.candidate), std::nullopt);
        return value_or_throw(kind.prepare(request, {}, {}, service(), {}));
    }
    static Verdict verdict_on(EvaluationRequest request) { return prepare(request).verdict; }
};

TEST_F(ExplicitCandidates, HonestOnesReachTheDeviceAndAttacksEndWhereTheySay) {
    std::size_t honest = 0;
    for (const ExplicitCandidate& candidate : testing::load_explicit_candidates()) {
        const EvaluationRequest request = evaluation(candidate);
        Prepared prepared = prepare(request);
        SCOPED_TRACE(candidate.file.name + ": " + prepared.verdict.reason);
        EXPECT_EQ(prepared.ended, !candidate.file.ends.empty());
        if (prepared.ended) {
            EXPECT_TRUE(candidate.file.expected.contains(prepared.verdict.outcome));
            EXPECT_FALSE(prepared.verdict.reason.empty());
            continue;
        }
        const auto package = value_or_throw(read_gpu_package(*prepared.order.binaries[0]));
        EXPECT_EQ(package.plans.size(), task()->workloads.size());
        EXPECT_EQ(package.cubin.substr(0, 4), "\177ELF");
        EXPECT_EQ(package.compiled_here, !candidate.cubin);
        EXPECT_EQ(package.leaves_heap, candidate.cubin) << "what a cubin says is its own word";
        EXPECT_TRUE(package.touches_variables) << "only NVRTC's own PTX is looked at";
        testing::FakeLane lane;
        const CandidateKind& kind = *find_kind(request.candidate.kind);
        const Verdict verdict = value_or_throw(kind.execute(request, std::move(prepared), lane));
        EXPECT_EQ(verdict.outcome, Outcome::passed);
        honest += candidate.file.expected.contains(Outcome::passed) ? 1 : 0;
    }
    EXPECT_EQ(honest, 4u);
}

TEST_F(ExplicitCandidates, AMistakeInPtxIsShownInItsLine) {
    ExplicitCandidate candidate = named("warp_per_row");
    std::string& source = candidate.file.source;
    const std::size_t at = source.find("mul.wide.u32 %start");
    const auto line = 1 + std::count(source.begin(), source.begin() + static_cast<long>(at), '\n');
    source.replace(at, 3, "mull");
    const Verdict verdict = verdict_on(evaluation(candidate));
    EXPECT_EQ(verdict.outcome, Outcome::compile_error);
    EXPECT_THAT(verdict.reason, HasSubstr("candidate.ptx(" + std::to_string(line) + "): error:"));
    EXPECT_EQ(verdict.compile->log.find("NVJITLINK"), std::string::npos);
    source = "// plan: {\"steps\": [1]}\nnothing";
    EXPECT_EQ(verdict_on(evaluation(candidate)).outcome, Outcome::compile_error);
}

TEST_F(ExplicitCandidates, WhatPtxSaysOfItselfIsNotBelieved) {
    ExplicitCandidate candidate = named("warp_per_row");
    std::string& source = candidate.file.source;
    const auto replaced = [&](const std::string& from, const std::string& to) {
        ExplicitCandidate other = candidate;
        other.file.source.replace(other.file.source.find(from), from.size(), to);
        return verdict_on(evaluation(other));
    };
    EXPECT_THAT(replaced(".target sm_80", ".target sm_100").reason, HasSubstr("sm_100"));
    EXPECT_THAT(replaced(".visible .entry", ".visible .func").reason, HasSubstr("error"));
    const Verdict linked = replaced(".address_size 64",
                                    ".address_size 64\n.extern .func elsewhere();\n.visible .entry "
                                    "other() { call elsewhere, (); ret; }\n");
    EXPECT_EQ(linked.outcome, Outcome::compile_error);
    EXPECT_THAT(linked.reason, HasSubstr("elsewhere"));
    source += "\n.include \"/etc/passwd\"\n";
    const Verdict verdict = verdict_on(evaluation(candidate));
    EXPECT_EQ(verdict.outcome, Outcome::compile_error);
    EXPECT_EQ(verdict.compile->log.find("root:"), std::string::npos);
}

TEST_F(ExplicitCandidates, OnlyMachineCodeForTheDeviceIsTaken) {
    const ExplicitCandidate candidate = named("block_per_row_cubin");
    EvaluationRequest request = evaluation(candidate);
    const auto reason = [&](const std::string& code) {
        const auto source = value_or_throw(read_ptx_source(candidate.file.source));
        request.candidate.source = nlohmann::ordered_json{
            {"plan", source.plan},
            {"cubin",
             testing::to_base64(code)}}.dump();
        const Verdict verdict = verdict_on(request);
        EXPECT_EQ(verdict.outcome, Outcome::compile_error);
        return verdict.reason;
    };
    NvrtcOutput older = compile_here(candidate.file.source, "sm_80");
    EXPECT_THAT(reason(older.cubin), HasSubstr("compute capability 8.0"));
    older.cubin[16] = 1;  // e_type: relocatable
    EXPECT_THAT(reason(older.cubin), HasSubstr("not linked"));
    EXPECT_THAT(reason("\x50\xed\x55\xba fat"), HasSubstr("fat binary"));
    EXPECT_THAT(reason("\177ELF"), HasSubstr("header"));
    EXPECT_THAT(reason(std::string(4096, 'x')), HasSubstr("cubin"));
}

TEST_F(ExplicitCandidates, NothingIsToldOfAHiddenWorkload) {
    ExplicitCandidate candidate = named("warp_per_row");
    // Public rows are others than those of hidden workloads, where this divides by zero.
    std::int64_t hidden_rows = 0;
    for (const Workload& workload : task()->workloads) {
        hidden_rows = workload.hidden ? workload.axes.at("rows") : hidden_rows;
    }
    ASSERT_GT(hidden_rows, 0);
    const std::string grid = "\"rows\"]";
    candidate.file.source.replace(candidate.file.source.find(grid), grid.size(),
                                  "\"rows + 0 // (rows - " + std::to_string(hidden_rows) + ")\"]");
    const Verdict verdict = verdict_on(evaluation(candidate));
    EXPECT_EQ(verdict.outcome, Outcome::rejected);
    EXPECT_EQ(verdict.reason, "the plan cannot be carried out on a hidden workload");
}

TEST_F(ExplicitCandidates, ACudaStarterIsARivalOfPtx) {
    EvaluationRequest request = evaluation(named("warp_per_row"));
    Rival rival;
    rival.name = "starter";
    rival.candidate.kind = source_kind("ptx");
    rival.candidate.source = task()->starters.at(0).source;
    request.rivals = {rival};
    const Prepared prepared = prepare(request);
    EXPECT_EQ(prepared.order.binaries.size(), 2u) << prepared.verdict.noise;
}

TEST_F(ExplicitCandidates, CubinsNeedADriverThatTellsTheirParameters) {
    FrontEndOptions old = options();
    old.takes_cubins = false;
    CompileService service(value_or_throw(CudaFrontEnd::make(old)));
    for (const ExplicitCandidate& candidate : testing::load_explicit_candidates()) {
        if (candidate.cubin) {
            const EvaluationRequest request = evaluation(candidate);
            const auto prepared = find_kind("cubin")->prepare(request, {}, {}, service, {});
            ASSERT_FALSE(prepared) << candidate.file.name;
            EXPECT_EQ(prepared.error().code, ErrorCode::unavailable);
        }
    }
}

TEST(ExplicitKinds, RefuseWhatTheyCannotUse) {
    const testing::SmallTask small;
    Candidate candidate;
    candidate.kind = "ptx";
    const auto complaint = [&] {
        return find_kind(candidate.kind)->lint(*small.task(), candidate).value_or("");
    };
    candidate.source = ".version 8.0";
    EXPECT_THAT(complaint(), HasSubstr("no plan"));
    candidate.source = "// plan: {}\n";
    EXPECT_EQ(complaint(), "");
    candidate.tune = {{"N", "1"}};
    EXPECT_THAT(complaint(), HasSubstr("tune"));
    candidate.tune.clear();
    candidate.kind = "cubin";
    EXPECT_THAT(complaint(), HasSubstr("JSON"));
    candidate.source = R"({"plan": {}, "cubin": "AAAA"})";
    EXPECT_EQ(complaint(), "");
}

TEST(ExplicitKinds, TheRoomsReadmeHasThePlansForm) {
    const testing::SmallTask small;
    const std::string contract = find_kind("ptx")->contract(*small.task());
    const std::string page = contract.substr(contract.find("A plan is one JSON object"));
    EXPECT_NE(testing::read_text(ATOLL_SOURCE_DIR "/reward/README.md").find(page),
              std::string::npos)
        << "copy reward/kinds/explicit_plan_contract.inc into reward/README.md";
}

TEST(ExplicitKinds, AnotherPlanIsAnotherCandidate) {
    Candidate one;
    one.kind = "ptx";
    one.source = "// plan: {\"a\": 1}\n.version 8.0\n";
    Candidate other = one;
    other.source[12] = 'b';
    EXPECT_FALSE(candidate_key(one) == candidate_key(other));
}

TEST(ExplicitKinds, AreKnownByTheirFilesAndShareCudasTask) {
    EXPECT_EQ(kind_of_file("a/b.ptx"), "ptx");
    EXPECT_EQ(kind_of_file("a/b.cubin.json"), "cubin");
    EXPECT_EQ(kind_of_file("a/b.json"), "");
    EXPECT_EQ(source_kind("cubin"), "cuda");
    EXPECT_TRUE(is_gpu_kind("ptx"));
    EXPECT_FALSE(is_gpu_kind("cpu_cpp"));
    const auto cuda = value_or_throw(load_task(testing::k_adversarial_folder / "task", "cuda"));
    const auto ptx = value_or_throw(load_task(testing::k_adversarial_folder / "task", "ptx"));
    EXPECT_EQ(ptx->reference_source, cuda->reference_source);
    EXPECT_EQ(ptx->starters.size(), cuda->starters.size());
    EXPECT_FALSE(ptx->digest == cuda->digest);
    for (const char* kind : {"ptx", "cubin"}) {
        EXPECT_THAT(find_kind(kind)->contract(*ptx), HasSubstr("alpha (scalar float32)"));
    }
}

}  // namespace
}  // namespace atl
