#include "reward/source_text.hpp"
#include "tests/mutation/faults.hpp"
#include "tests/mutation/other_inputs.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace atl {
namespace {

using mutation::FaultClass;
using mutation::Mutant;
using mutation::ProgramText;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A kernel with a place for each fault. The comment and the macro must stay as they are.
constexpr const char* k_source = R"(
#define LIMIT (4 - 1)  // a - b < c
typedef float Vec __attribute__((vector_size(16)));
typedef float LooseVec __attribute__((vector_size(16), aligned(4)));

static float sum(const float* x, long n, long stride) {
    float parts[4] = {};
    double total = 0.0;
    long i = 0;
    for (; i + 4 <= n; i += 4) {
        const Vec v = *reinterpret_cast<const LooseVec*>(x + i);
        parts[0] += v[0];
    }
    for (; i < n; ++i) {
        total += x[i * stride + n];
    }
    return total;
}

void launch(const float* x, float* y, int rows, int cols) {
    for (long r = 0; r < rows; ++r) {
        const long count = 8 < cols - r ? 8 : cols - r;
        y[r] = sum(x, count, r) - static_cast<float>(cols);
    }
}
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::vector<std::string> sources(FaultClass fault) {
    std::vector<std::string> texts;
    for (const Mutant& mutant : mutation::faults_of(ProgramText(k_source), fault)) {
        EXPECT_EQ(mutant.fault, fault);
        texts.push_back(mutant.source);
    }
    return texts;
}

std::vector<std::string> edits(FaultClass fault) {
    std::vector<std::string> texts;
    for (const Mutant& mutant : mutation::faults_of(ProgramText(k_source), fault)) {
        texts.push_back(mutant.before + " => " + mutant.after);
    }
    return texts;
}

TEST(Faults, IndicesAreOffByOneButNotArrayBounds) {
    EXPECT_THAT(edits(FaultClass::index_off_by_one),
                ElementsAre("x + i => (x + i) + 1", "0 => (0) - 1", "0 => (0) + 1",
                            "i * stride + n => (i * stride + n) - 1", "r => (r) + 1"));
    EXPECT_EQ(sources(FaultClass::index_off_by_one).back(), with(k_source, "y[r]", "y[(r) + 1]"));
}

TEST(Faults, BoundariesMoveByOne) {
    EXPECT_THAT(edits(FaultClass::wrong_boundary),
                ElementsAre("<= => <", "< => <=", "0 => 1", "< => <=", "< => <="));
    EXPECT_EQ(sources(FaultClass::wrong_boundary)[2], with(k_source, "r = 0", "r = 1"));
}

TEST(Faults, TermsAreDropped) {
    EXPECT_THAT(edits(FaultClass::dropped_term),
                ElementsAre("+ 4 => ", "+ i => ", "parts[0] += v[0]; => ;",
                            "total += x[i * stride + n]; => ;", "+ n => ", "- r => ", "- r => ",
                            "- static_cast<float>(cols) => "));
    EXPECT_EQ(sources(FaultClass::dropped_term)[0], with(k_source, "i + 4 <=", "i  <="));
}

TEST(Faults, ValuesLosePrecisionAndAddressesDoNot) {
    EXPECT_THAT(edits(FaultClass::precision_downgrade),
                ElementsAre("double => float",
                            "*reinterpret_cast<const LooseVec*>(x + i) => "
                            "atoll_fewer_bits_of(*reinterpret_cast<const LooseVec*>(x + i), 8)",
                            "v[0] => atoll_fewer_bits_of(v[0], 11)",
                            "x[i * stride + n] => atoll_fewer_bits_of(x[i * stride + n], 24)",
                            "sum(x, count, r) - static_cast<float>(cols) => "
                            "atoll_fewer_bits_of(sum(x, count, r) - static_cast<float>(cols), 8)"));
}

TEST(Faults, OperandsAreSwapped) {
    EXPECT_THAT(edits(FaultClass::swapped_operands),
                ElementsAre("i * stride + n => n * stride + i", "cols - r => r - cols",
                            "cols - r => r - cols", "count, r => r, count",
                            "sum(x, count, r) - static_cast<float>(cols) => "
                            "static_cast<float>(cols) - sum(x, count, r)"));
}

TEST(Faults, TailsGoMissing) {
    EXPECT_THAT(edits(FaultClass::missing_tail),
                ElementsAre("i < n => false", "rows => rows / 4 * 4", "cols - r => 0"));
    EXPECT_EQ(sources(FaultClass::missing_tail)[2], with(k_source, ": cols - r", ": 0"));
}

TEST(Faults, OfEachClassSoManyAreChosenEveryTimeTheSame) {
    const std::vector<Mutant> chosen = mutation::chosen_mutants(k_source, 2);
    const std::vector<Mutant> again = mutation::chosen_mutants(k_source, 2);
    ASSERT_EQ(chosen.size(), 2 * mutation::k_fault_classes.size());
    std::set<std::string> different;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        EXPECT_EQ(chosen[i].source, again[i].source);
        different.insert(normalised_tokens(chosen[i].source));
        EXPECT_THAT(chosen[i].source, HasSubstr("(4 - 1)  // a - b < c"));
    }
    EXPECT_EQ(different.size(), chosen.size());
    EXPECT_THAT(different, ::testing::Not(Contains(normalised_tokens(k_source))));
}

TEST(Faults, TextThatIsNoProgramGivesNoneAndDoesNoHarm) {
    for (const char* text : {"", "[", ")](", "a[", "x ? y", "for (;;", "static_cast<", "- -",
                             "*reinterpret_cast< = ;", "f(a, b", "a - ", "typedef"}) {
        for (const FaultClass fault : mutation::k_fault_classes) {
            EXPECT_NO_THROW(static_cast<void>(faults_of(ProgramText(text), fault))) << text;
        }
    }
    EXPECT_THAT(mutation::chosen_mutants("// x[i] - 1\n#define A(x) x[1] - 1\n", 9), IsEmpty());
}

TaskPtr shipped_task(const std::string& name) {
    return value_or_throw(
        load_task(std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments" / "tasks" / name));
}

TEST(OtherInputs, WhatFloatsCannotAnswerWithinTheTolerancesIsNotAdmissible) {
    const TaskPtr entropy = shipped_task("cross_entropy");
    Workload vocabulary = entropy->workloads.front();
    vocabulary.axes["classes"] = 2 * 8192;
    EXPECT_TRUE(mutation::admissible(*entropy, vocabulary));
    vocabulary.axes["classes"] = 92071;
    EXPECT_FALSE(mutation::admissible(*entropy, vocabulary));

    const TaskPtr attention = shipped_task("causal_attention");
    Workload heads = attention->workloads.front();
    heads.axes["d"] = 80;
    EXPECT_TRUE(mutation::admissible(*attention, heads));
    heads.axes["d"] = 200;  // the scale stays, so scores are three times as high
    EXPECT_FALSE(mutation::admissible(*attention, heads));
}

TEST(OtherInputs, ShapesAreAdmissibleAndDifferFromRoundToRound) {
    for (const char* name : {"top_k", "spmv_csr", "conv2d", "causal_attention"}) {
        const TaskPtr task = shipped_task(name);
        std::set<std::map<std::string, std::int64_t>> shapes;
        for (std::uint64_t round = 0; round < 3; ++round) {
            const auto made = mutation::other_shapes(*task, round);
            EXPECT_EQ(made.size(), mutation::k_shapes);
            for (const Workload& shape : made) {
                EXPECT_TRUE(mutation::admissible(*task, shape)) << name;
                shapes.insert(shape.axes);
            }
        }
        EXPECT_GT(shapes.size(), mutation::k_shapes) << name;
    }
}

TEST(OtherInputs, DerivedTasksLoadAndExpectTheSameBits) {
    for (const char* name : {"spmv_csr", "layer_norm", "top_k", "prefix_sum"}) {
        const TaskPtr task = shipped_task(name);
        const testing::TemporaryFolder folder;
        const std::string& original = task->starters.front().source;
        const TaskPtr same =
            mutation::same_answers_task(*task, original, 0, folder.path() / "same" / name);
        const TaskPtr other = mutation::other_shapes_task(*task, 0, folder.path() / "other" / name);
        EXPECT_THAT(same->reference_source, HasSubstr(original));
        EXPECT_THAT(same->reference_source, ::testing::StartsWith(mutation::exactly("")));
        EXPECT_EQ(same->tolerance.atol + same->tolerance.rtol + same->tolerance.atol_rms, 0);
        EXPECT_EQ(other->reference_source, task->reference_source);
        EXPECT_EQ(other->tolerance.rtol, task->tolerance.rtol);
        for (std::size_t i = 0; i < task->workloads.size(); ++i) {
            EXPECT_FALSE(same->workloads[i].tolerance) << name;
            EXPECT_EQ(other->workloads[i].tolerance.has_value(),
                      task->workloads[i].tolerance.has_value());
            EXPECT_EQ(other->workloads[i].axes, task->workloads[i].axes);
        }
    }
}

}  // namespace
}  // namespace atl
