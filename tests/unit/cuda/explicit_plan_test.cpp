#include "reward/cuda/explicit_plan.hpp"

#include "reward/base/rng.hpp"
#include "reward/cuda/explicit_source.hpp"
#include "reward/json_object.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>

#include <cstring>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Buffer = PlanAddress::Buffer;

/// Workload 0 of the small task: rows 3, cols 17, alpha 1.5.
class ExplicitPlan : public ::testing::Test {
  protected:
    Expected<Plan> evaluate(const std::string& json) const {
        const auto parsed = parse_json_strictly(json, "plan");
        if (!parsed) {
            return tl::unexpected(parsed.error());
        }
        return evaluate_explicit_plan(*parsed, *m_task, m_task->workloads[0]);
    }
    Plan plan(const std::string& json) const { return value_or_throw(evaluate(json)); }
    std::string complaint(const std::string& json) const {
        const auto made = evaluate(json);
        return made ? "" : made.error().message();
    }
    PlanLaunch launch(const std::string& more) const {
        return std::get<PlanLaunch>(plan(step(more)).steps.at(0).what);
    }
    static std::string step(const std::string& more) {
        return R"({"steps": [{"launch": "k", "grid": 1, "block": 1)" + more + "}]}";
    }
    std::string bad_argument(const std::string& argument) const {
        return complaint(step(R"(, "arguments": [)" + argument + "]"));
    }
    template <class T>
    static T value(const PlanData& data) {
        T out{};
        EXPECT_EQ(data.bytes.size(), sizeof(T));
        std::memcpy(&out, data.bytes.data(), std::min(sizeof(T), data.bytes.size()));
        return out;
    }

    testing::SmallTask m_small;
    TaskPtr m_task = m_small.task();
};

TEST_F(ExplicitPlan, ArgumentsOfAllLaunchesHaveALimit) {
    // A name of one letter stands for the 128 bytes of a tensor map.
    std::string arguments = "\"m\"";
    for (int i = 1; i < 31; ++i) {
        arguments += ", \"m\"";
    }
    const auto of_launches = [&](int count) {
        std::string steps;
        for (int i = 0; i < count; ++i) {
            steps += std::string(i == 0 ? "" : ", ") +
                     R"({"launch": "k", "grid": 1, "block": 1, "arguments": [)" + arguments + "]}";
        }
        return R"({"maps": {"m": {"at": "x", "data_type": 7, "dims": ["cols", "rows"],
                   "strides": ["64 * cols"], "box": [1, 1]}}, "steps": [)" +
               steps + "]}";
    };
    EXPECT_EQ(complaint(of_launches(4)), "");
    EXPECT_THAT(complaint(of_launches(1100)), HasSubstr("4194304 bytes"));
}

TEST_F(ExplicitPlan, NumbersAreExpressionsOverAllAxes) {
    const Plan made = plan(R"json({
        "scratch": {"a": "4 * rows * cols", "b": 100},
        "steps": [
            {"memset": {"at": "b", "offset": "rows"}, "value": 7, "bytes": "padded"},
            {"launch": "k", "grid": ["rows", "ceil_div(cols, 8)"], "block": 64, "shared": "2 * pad",
             "cluster": [1, 3, 1], "cooperative": true, "programmatic": true},
            {"copy": "x", "to": {"at": "a", "offset": 4}, "bytes": 8}]})json");
    EXPECT_THAT(made.scratch, ElementsAre(204, 100));
    EXPECT_THAT(made.inputs, ElementsAre(204, 68));
    EXPECT_THAT(made.outputs, ElementsAre(204));
    ASSERT_EQ(made.steps.size(), 3u);
    EXPECT_EQ(std::get<PlanMemset>(made.steps[0].what),
              (PlanMemset{{Buffer::scratch, 1, 3}, 7, 20}));
    const auto& launch = std::get<PlanLaunch>(made.steps[1].what);
    EXPECT_EQ(launch.grid, (PlanDim{3, 3, 1}));
    EXPECT_EQ(launch.block, (PlanDim{64, 1, 1}));
    EXPECT_EQ(launch.cluster, (PlanDim{1, 3, 1}));
    EXPECT_TRUE(launch.cooperative && launch.programmatic);
    EXPECT_EQ(launch.shared_bytes, 8u);
    EXPECT_EQ(std::get<PlanCopy>(made.steps[2].what),
              (PlanCopy{{Buffer::scratch, 0, 4}, {Buffer::input, 0, 0}, 8}));
}

TEST_F(ExplicitPlan, ArgumentsAreNamesOrTypedNumbers) {
    const PlanLaunch made = launch(R"(, "arguments": ["bias", {"at": "y", "offset": "4 * cols"},
        "alpha", "cols", "padded", {"i32": "0 - rows"}, {"u32": 5}, {"i64": "cols * cols"}, {"u64": 6},
        {"f32": "1 / cols"}, {"f64": 0.5}, {"f16": 1}, {"bf16": "1 / 2"}])");
    ASSERT_EQ(made.arguments.size(), 13u);
    EXPECT_EQ(made.arguments[0].pointers.at(0).target, (PlanAddress{Buffer::input, 1, 0}));
    EXPECT_EQ(made.arguments[1].pointers.at(0).target, (PlanAddress{Buffer::output, 0, 68}));
    EXPECT_EQ(value<float>(made.arguments[2]), 1.5F);
    EXPECT_EQ(value<std::int32_t>(made.arguments[3]), 17);
    EXPECT_EQ(value<std::int32_t>(made.arguments[4]), 20);
    EXPECT_EQ(value<std::int32_t>(made.arguments[5]), -3);
    EXPECT_EQ(value<std::uint32_t>(made.arguments[6]), 5u);
    EXPECT_EQ(value<std::int64_t>(made.arguments[7]), 289);
    EXPECT_EQ(value<std::uint64_t>(made.arguments[8]), 6u);
    EXPECT_EQ(value<float>(made.arguments[9]), static_cast<float>(1.0 / 17));
    EXPECT_EQ(value<double>(made.arguments[10]), 0.5);
    EXPECT_EQ(value<std::uint16_t>(made.arguments[11]), 0x3c00);
    EXPECT_EQ(value<std::uint16_t>(made.arguments[12]), 0x3f00);
}

TEST_F(ExplicitPlan, TensorMapsAreArgumentsOfTheirOwnSize) {
    const Plan made =
        plan(R"({"maps": {"tiles": {"at": "x", "data_type": 7, "dims": ["cols", "rows"],
        "strides": ["4 * cols"], "box": [16, 1], "swizzle": 3}},
        "steps": [{"launch": "k", "grid": 1, "block": 1, "arguments": ["tiles"]}]})");
    ASSERT_EQ(made.tensor_maps.size(), 1u);
    const PlanTensorMap& map = made.tensor_maps[0];
    EXPECT_EQ(map.rank, 2u);
    EXPECT_EQ(map.dims, (std::array<std::uint64_t, 5>{17, 3, 0, 0, 0}));
    EXPECT_EQ(map.strides[0], 68u);
    EXPECT_EQ(map.box[1], 1u);
    EXPECT_EQ(map.element_strides, (std::array<std::uint64_t, 5>{1, 1, 0, 0, 0}));
    EXPECT_EQ(map.swizzle, 3u);
    const auto& launch = std::get<PlanLaunch>(made.steps[0].what);
    EXPECT_EQ(launch.arguments[0].bytes.size(), k_tensor_map_bytes);
    EXPECT_EQ(launch.arguments[0].maps.at(0).index, 0u);
}

TEST_F(ExplicitPlan, LargeSharedMemoryAndClustersAreAskedForByThemselves) {
    const Plan made = plan(R"({"steps": [
        {"launch": "a", "grid": 16, "block": 1, "shared": 1000, "cluster": [16, 1, 1]},
        {"launch": "a", "grid": 16, "block": 1, "shared": 100000},
        {"launch": "b", "grid": 16, "block": 1}]})");
    ASSERT_EQ(made.settings.size(), 1u);
    EXPECT_EQ(made.settings[0], (PlanKernelSettings{"a", 100000, -1, true}));
}

TEST_F(ExplicitPlan, MistakesAreNamed) {
    EXPECT_THAT(complaint(R"({"steps": []})"), HasSubstr("launches nothing"));
    EXPECT_THAT(complaint(R"({"stepz": []})"), HasSubstr("steps"));
    EXPECT_THAT(complaint(R"({"steps": [{"lunch": "k"}]})"), HasSubstr("'launch', a 'memset'"));
    EXPECT_THAT(complaint(R"({"steps": [{"launch": "k"}]})"), HasSubstr("'grid' and 'block'"));
    EXPECT_THAT(complaint(step(R"(, "shard": 1)")), HasSubstr("did you mean 'shared'?"));
    EXPECT_THAT(complaint(step(R"(, "shared": "rowz")")), HasSubstr("did you mean 'rows'?"));
    EXPECT_THAT(complaint(step(R"(, "shared": "0 - 1")")), HasSubstr("out of range"));
    EXPECT_THAT(complaint(step(R"(, "shared": 1.5)")), HasSubstr("integer"));
    EXPECT_THAT(complaint(step(R"(, "cluster": [1, 1, 1, 1])")), HasSubstr("one to three"));
    EXPECT_THAT(bad_argument(R"("bia")"), HasSubstr("did you mean 'bias'?"));
    EXPECT_THAT(bad_argument(R"({"i32": "cols * cols * cols * cols * cols * cols * cols * cols"})"),
                HasSubstr("does not fit"));
    EXPECT_THAT(bad_argument(R"({"u64": "0 - 1"})"), HasSubstr("does not fit"));
    EXPECT_THAT(bad_argument(R"({"int": 1})"), HasSubstr("use i32"));
    EXPECT_THAT(bad_argument("{}"), HasSubstr("a type and a value"));
    EXPECT_THAT(bad_argument("1"), HasSubstr("object"));
    EXPECT_THAT(bad_argument(R"({"at": "rows"})"), HasSubstr("no tensor"));
    EXPECT_THAT(complaint(R"({"scratch": {"x": 4}, "steps": []})"), HasSubstr("is taken"));
    EXPECT_THAT(complaint(R"({"scratch": {"1": 4}, "steps": []})"), HasSubstr("identifier"));
    EXPECT_THAT(complaint(R"({"steps": [{"memset": "alpha", "bytes": 4}]})"), HasSubstr("alpha"));
}

TEST_F(ExplicitPlan, WhatGrowsHasLimits) {
    std::string steps;
    for (std::size_t i = 0; i <= k_max_plan_steps; ++i) {
        steps += std::string(i == 0 ? "" : ",") + R"({"memset": "y", "bytes": 4})";
    }
    EXPECT_THAT(complaint(R"({"steps": [)" + steps + "]}"), HasSubstr("4096"));
    std::string scratch;
    for (std::size_t i = 0; i <= k_max_plan_scratch; ++i) {
        scratch += (i == 0 ? "\"s" : ", \"s") + std::to_string(i) + "\": 1";
    }
    EXPECT_THAT(complaint(R"({"scratch": {)" + scratch + R"(}, "steps": []})"), HasSubstr("256"));
    std::string arguments = "\"rows\"";
    for (std::size_t i = 0; i < k_max_plan_arguments; ++i) {
        arguments += ", \"rows\"";
    }
    EXPECT_THAT(bad_argument(arguments), HasSubstr("512"));
    EXPECT_FALSE(evaluate(step(R"(, "shared": ")" + std::string(2000, '(') + "\"")));
}

TEST_F(ExplicitPlan, ChangedTextsGiveAPlanOrAnError) {
    const std::string good =
        R"({"scratch": {"a": "4 * rows"}, "maps": {"m": {"at": "x", "data_type": 7,
        "dims": ["cols"], "box": [16]}}, "steps": [{"memset": "a", "value": 0, "bytes": "4 * rows"},
        {"launch": "k", "grid": ["rows"], "block": [32], "arguments": ["x", "m", {"f32": "1 / cols"}]}]})";
    ASSERT_EQ(complaint(good), "");
    CounterRng rng(11, RngPurpose::measurement, 0);
    for (int round = 0; round < 5000; ++round) {
        std::string text = good;
        for (std::uint64_t changes = 1 + rng.below(3); changes > 0; --changes) {
            const std::string_view letters = "{}[]\",:0129-ax *(/";
            text[rng.below(text.size())] = letters[rng.below(letters.size())];
        }
        (void)evaluate(text);
    }
}

TEST(PtxSource, ThePlanIsTheCommentBeforeTheCode) {
    const auto source =
        read_ptx_source("// by hand\n\n// plan: {\"steps\":\n//   [1]}\n.version 8.0\n");
    ASSERT_TRUE(source) << source.error().message();
    EXPECT_EQ(source->plan.dump(), R"({"steps":[1]})");
    EXPECT_THAT(source->code, ::testing::StartsWith("// by hand"));
    EXPECT_THAT(read_ptx_source(".version 8.0\n// plan: {}\n").error().message(),
                HasSubstr("no plan"));
    EXPECT_THAT(read_ptx_source("// plan: {\n.version 8.0\n").error().message(), HasSubstr("JSON"));
    EXPECT_THAT(read_ptx_source("// plan: []\n").error().message(), HasSubstr("no JSON object"));
    EXPECT_FALSE(read_ptx_source(""));
}

TEST(CubinSource, IsAPlanAndBase64) {
    const auto source = read_cubin_source(R"({"plan": {"steps": []}, "cubin": "AAEC\n/w=="})");
    ASSERT_TRUE(source) << source.error().message();
    EXPECT_EQ(source->code, std::string("\0\1\2\xff", 4));
    for (const char* bad : {"A", "AAA", "A===", "AA=A", "====", "AAAA====", "AA-A", ""}) {
        EXPECT_FALSE(read_cubin_source(R"({"plan": {}, "cubin": ")" + std::string(bad) + "\"}"))
            << bad;
    }
    EXPECT_THAT(read_cubin_source(R"({"cubin": "AAAA"})").error().message(), HasSubstr("plan"));
    EXPECT_THAT(read_cubin_source("\177ELF...").error().message(), HasSubstr("without a plan"));
    EXPECT_FALSE(read_cubin_source(R"({"plan": {}, "cubin": "AAAA", "more": 1})"));
}

}  // namespace
}  // namespace atl
