#include "reward/cuda/plan.hpp"

#include "reward/cuda/plan_total.hpp"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <functional>

namespace atl {
namespace {

using ::testing::HasSubstr;

constexpr PlanAddress k_input{PlanAddress::Buffer::input, 0, 0};
constexpr PlanAddress k_output{PlanAddress::Buffer::output, 0, 0};
constexpr PlanAddress k_scratch{PlanAddress::Buffer::scratch, 0, 0};

PlanData pointer_to(const PlanAddress& target) {
    return {std::vector<std::uint8_t>(8, 0), {{0, target}}};
}

PlanData number(std::uint8_t value) {
    return {{value, 0, 0, 0}, {}};
}

PlanLaunch launch_of_softmax() {
    PlanLaunch launch;
    launch.kernel = "softmax";
    launch.grid = {64, 1, 1};
    launch.block = {256, 1, 1};
    launch.shared_bytes = 1024;
    launch.arguments = {pointer_to(k_input), pointer_to(k_output), number(7)};
    return launch;
}

Plan small_plan() {
    Plan plan;
    plan.inputs = {4096};
    plan.outputs = {4096};
    plan.scratch = {512};
    plan.steps.push_back({9, PlanMemset{k_scratch, 0, 512}});
    plan.steps.push_back({10, launch_of_softmax()});
    return plan;
}

KernelFacts facts_of_softmax() {
    KernelFacts facts;
    facts.name = "softmax";
    facts.registers = 32;
    facts.static_shared_bytes = 128;
    facts.parameters = {{0, 8}, {8, 8}, {16, 4}};
    return facts;
}

const DeviceLimits k_h200 = *device_limits_of("sm_90a");

/// What the check says of the small plan after a change of its launch.
std::string complaint(const std::function<void(PlanLaunch&, Plan&, KernelFacts&)>& change,
                      const DeviceLimits& limits = k_h200) {
    Plan plan = small_plan();
    KernelFacts facts = facts_of_softmax();
    change(std::get<PlanLaunch>(plan.steps[1].what), plan, facts);
    const Status status = check_plan(plan, limits, std::span(&facts, 1));
    return status ? "" : status.error().message();
}

TEST(PlanCheck, APlanWithinAllLimitsPasses) {
    EXPECT_EQ(complaint([](PlanLaunch&, Plan&, KernelFacts&) {}), "");
    EXPECT_THAT(
        complaint([](PlanLaunch&, Plan&, KernelFacts& facts) { facts.local_bytes = 500'000; }),
        HasSubstr("500000 bytes of local memory a thread"));
    EXPECT_TRUE(check_plan(small_plan(), k_h200));
}

TEST(PlanCheck, LimitsOfALaunchAreNamedWithStepAndLine) {
    using Launch = PlanLaunch;
    using Facts = KernelFacts;
    for (const auto& [change, text] :
         std::vector<std::pair<std::function<void(Launch&, Plan&, Facts&)>, std::string>>{
             {[](Launch&l, Plan&, Facts&) { l.grid[0] = 0; }, "grid.x is 0"},
             {[](Launch&l, Plan&, Facts&) { l.grid[1] = 65536; },
              "grid.y is 65536, must be 1 to 65535"},
             {[](Launch&l, Plan&, Facts&) { l.block[2] = 65; }, "block.z is 65"},
             {[](Launch&l, Plan&, Facts&) {
                  l.block = {64, 32, 1};
              },
              "a block of 2048 threads"},
             {[](Launch&l, Plan&, Facts&) { l.shared_bytes = 50'000; }, "must ask first"},
             {[](Launch&l, Plan&, Facts&) {
                  l.cluster = {3, 1, 1};
              },
              "no multiple of cluster.x"},
             {[](Launch&l, Plan&, Facts&) {
                  l.cluster = {1, 0, 1};
              },
              "cluster.y = 0"},
             {[](Launch&l, Plan&, Facts&) {
                  l.cluster = {16, 1, 1};
              },
              "a cluster of 16 blocks, at most 8"},
             {[](Launch&, Plan&, Facts&f) { f.max_threads = 128; }, "__launch_bounds__ says 128"},
             {[](Launch&l, Plan&, Facts&f) { f.registers = 255, l.block[0] = 512; },
              "does not fit"},
             {[](Launch&l, Plan&, Facts&) {
                  l.cooperative = true, l.grid = {64, 40, 1};
              },
              "a cooperative launch of 64x40x1 blocks, 1056 fit"},
             {[](Launch&, Plan&, Facts&f) { f.parameters.pop_back(); },
              "3 arguments for 2 parameters"},
             {[](Launch&, Plan&, Facts&f) { f.parameters[2].size = 8; },
              "4 bytes on the host and 8"},
             {[](Launch&, Plan&, Facts&f) { f.name = "other"; }, "is not in the compiled code"},
             {[](Launch&l, Plan&, Facts&) { l.arguments[0].pointers[0].target.offset = 4097; },
              "a pointer to byte 4097 of input 0 lies outside its 4096 bytes"},
             {[](Launch&l, Plan&, Facts&) { l.arguments[0].pointers[0].target.index = 1; },
              "there is no input 1"},
             {[](Launch&l, Plan&, Facts&) { l.arguments[0].pointers[0].at = 1; },
              "outside its bytes"},
             {[](Launch&l, Plan&, Facts&) { l.arguments[2].bytes.resize(40'000); },
              "bytes of arguments, at most 32764"},
         }) {
        EXPECT_THAT(complaint(change), HasSubstr(text));
        EXPECT_THAT(complaint(change), HasSubstr("step 2 (line 10)")) << text;
    }
}

TEST(PlanCheck, AskingFirstAllowsMoreSharedMemoryAndLargerClusters) {
    EXPECT_EQ(complaint([](PlanLaunch& l, Plan& p, KernelFacts&) {
                  l.shared_bytes = 200'000;
                  l.cluster = {16, 1, 1};
                  p.settings = {{"softmax", 200'000, -1, true}};
              }),
              "");
}

TEST(PlanCheck, NobodyCanAskForMoreSharedMemoryThanThereIs) {
    EXPECT_THAT(complaint([](PlanLaunch&, Plan& p, KernelFacts&) {
                    p.settings = {{"softmax", 232'448, -1, false}};
                }),
                HasSubstr("232448 bytes of dynamic shared memory beside 128 static ones"));
    EXPECT_THAT(complaint([](PlanLaunch&, Plan& p, KernelFacts&) {
                    p.settings = {{"other", 1, -1, false}};
                }),
                HasSubstr("kernel other is not in the compiled code"));
}

TEST(PlanCheck, APointerToOnePastTheEndIsAPointer) {
    EXPECT_EQ(complaint([](PlanLaunch& l, Plan&, KernelFacts&) {
                  l.arguments[0].pointers[0].target.offset = 4096;
              }),
              "");
}

TEST(PlanCheck, AnOlderDeviceHasNoClustersAndNoDependentLaunches) {
    const DeviceLimits a100 = *device_limits_of("sm_80");
    EXPECT_THAT(complaint(
                    [](PlanLaunch& l, Plan&, KernelFacts&) {
                        l.cluster = {2, 1, 1};
                    },
                    a100),
                HasSubstr("clusters need compute capability 9.0, NVIDIA A100 has 8.0"));
    EXPECT_THAT(complaint([](PlanLaunch& l, Plan&, KernelFacts&) { l.programmatic = true; }, a100),
                HasSubstr("programmatic"));
}

TEST(PlanCheck, OtherStepsStayInsideTheirBuffersAndOutOfInputs) {
    const auto say = [](decltype(PlanStep::what) what) {
        Plan plan = small_plan();
        plan.steps = {{3, std::move(what)}};
        const Status status = check_plan(plan, k_h200);
        return status ? std::string() : status.error().message();
    };
    EXPECT_EQ(say(PlanMemset{k_output, 1, 4096}), "");
    EXPECT_THAT(say(PlanMemset{k_output, 1, 4097}), HasSubstr("outside its 4096 bytes"));
    EXPECT_THAT(say(PlanMemset{{PlanAddress::Buffer::output, 0, ~0ull}, 1, 2}),
                HasSubstr("outside"));
    EXPECT_THAT(say(PlanMemset{k_input, 1, 4}), HasSubstr("writes to input 0"));
    EXPECT_EQ(say(PlanCopy{k_output, k_input, 4096}), "");
    EXPECT_THAT(say(PlanCopy{k_input, k_output, 4}), HasSubstr("writes to input 0"));
    EXPECT_THAT(say(PlanCopy{k_scratch, k_input, 513}), HasSubstr("outside its 512 bytes"));
    EXPECT_THAT(say(PlanCopy{k_scratch, {PlanAddress::Buffer::scratch, 0, 4}, 8}),
                HasSubstr("overlap"));
    EXPECT_THAT(say(PlanWrite{{PlanAddress::Buffer::symbol, 0, 0}, number(1)}),
                HasSubstr("there is no symbol 0"));
}

TEST(PlanCheck, VariablesOfTheDeviceHaveSizesThatACubinCanHave) {
    Plan plan = small_plan();
    plan.symbols = {{"v", 256u << 20}};
    EXPECT_TRUE(check_plan(plan, k_h200));
    plan.symbols = {{"v", 1ull << 60}};
    EXPECT_THAT(check_plan(plan, k_h200).error().message(), HasSubstr("1152921504606846976 bytes"));
    plan.symbols = {{std::string(5000, 'v'), 4}};
    EXPECT_THAT(check_plan(plan, k_h200).error().message(), HasSubstr("whose name has 5000"));
    plan.symbols.assign(257, {"v", 4});
    EXPECT_THAT(check_plan(plan, k_h200).error().message(), HasSubstr("names 257 variables"));
}

TEST(PlanTotal, PlansOfOneCandidateAreLimitedTogether) {
    Plan plan = small_plan();
    PlanData table{std::vector<std::uint8_t>(k_max_plan_data_bytes), {}};
    for (std::uint32_t at = 0; at < k_max_plan_data_bytes; at += k_pointer_bytes) {
        table.pointers.push_back({at, k_output});
    }
    plan.symbols = {{"v", k_max_plan_data_bytes}};
    plan.steps.assign(8, {1, PlanWrite{{PlanAddress::Buffer::symbol, 0, 0}, table}});
    ASSERT_TRUE(check_plan(plan, k_h200));
    PlanTotal total;
    EXPECT_TRUE(total.add(plan)) << "alone it is small enough";
    EXPECT_TRUE(total.add(small_plan()));
    Status more;
    for (int workload = 1; workload < 10 && more; ++workload) {
        more = total.add(plan);
    }
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, ErrorCode::limit);
    EXPECT_THAT(more.error().message(), HasSubstr("16 MiB"));
}

TEST(PlanTotal, WhatCannotBeReadWhereItIsCarriedOutIsRefused) {
    Plan plan = small_plan();
    plan.symbols = {{"v\xff", 4}};
    EXPECT_THAT(PlanTotal().add(plan).error().message(), HasSubstr("names must be text"));
    plan.symbols = {{"v", 1ull << 60}};
    EXPECT_THAT(PlanTotal().add(plan).error().message(), HasSubstr("cannot be written down"));
}

TEST(PlanCheck, TensorMapsLieInsideTheirBuffersAndArguments) {
    const auto say = [](const std::function<void(PlanTensorMap&, PlanData&)>& change) {
        Plan plan = small_plan();
        PlanTensorMap map;
        map.data_type = 7;  // float32
        map.rank = 2;
        map.dims = {32, 32};
        map.strides = {128};
        map.box = {32, 8};
        map.element_strides = {1, 1};
        PlanLaunch launch = launch_of_softmax();
        launch.arguments.push_back({std::vector<std::uint8_t>(136, 0), {}, {{0, 0}}});
        change(map, launch.arguments.back());
        plan.tensor_maps = {map};
        plan.steps = {{3, launch}};
        const Status status = check_plan(plan, k_h200);
        return status ? std::string() : status.error().message();
    };
    EXPECT_EQ(say([](PlanTensorMap&, PlanData&) {}), "");
    EXPECT_THAT(say([](PlanTensorMap& map, PlanData&) { map.dims[1] = 33; }), HasSubstr("outside"));
    EXPECT_THAT(say([](PlanTensorMap& map, PlanData&) { map.strides[0] = 1ull << 60; }),
                HasSubstr("outside"));
    EXPECT_THAT(say([](PlanTensorMap& map, PlanData&) { map.rank = 6; }),
                HasSubstr("cuTensorMapEncodeTiled does not take"));
    EXPECT_THAT(say([](PlanTensorMap& map, PlanData&) { map.box[0] = 257; }),
                HasSubstr("in dimension 0"));
    for (const auto& [at, index] :
         std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 1}, {16, 0}, {~0u, 0}}) {
        EXPECT_THAT(say([&](PlanTensorMap&, PlanData& data) {
                        data.maps[0] = {at, index};
                    }),
                    HasSubstr("a tensor map that does not fit"));
    }
    EXPECT_THAT(say([](PlanTensorMap&, PlanData& data) {
                    data.pointers = {{120, k_output}};
                }),
                HasSubstr("a tensor map that does not fit"));
}

TEST(PlanCheck, StepsAndMemoryAreLimited) {
    Plan plan = small_plan();
    plan.scratch = {100ull << 30, 40ull << 30};
    EXPECT_THAT(check_plan(plan, k_h200).error().message(), HasSubstr("of device memory"));
    plan = small_plan();
    plan.steps.resize(k_max_plan_steps + 1, plan.steps[0]);
    EXPECT_THAT(check_plan(plan, k_h200).error().message(), HasSubstr("at most 4096"));
}

TEST(DeviceLimits, BlocksThatFitAsTheOccupancyCalculatorSays) {
    KernelFacts facts;
    facts.registers = 32;
    EXPECT_EQ(blocks_that_fit(k_h200, facts, 256, 0), 8u);   // threads
    EXPECT_EQ(blocks_that_fit(k_h200, facts, 32, 0), 32u);   // blocks
    EXPECT_EQ(blocks_that_fit(k_h200, facts, 1025, 0), 0u);  // too many
    EXPECT_EQ(blocks_that_fit(k_h200, facts, 128, 100 << 10), 2u);
    facts.registers = 128;
    EXPECT_EQ(blocks_that_fit(k_h200, facts, 256, 0), 2u);
    EXPECT_FALSE(device_limits_of("sm_75"));
}

rc::Gen<PlanAddress> any_address() {
    return rc::gen::map(rc::gen::tuple(rc::gen::inRange(0, 4), rc::gen::inRange(0u, 1024u),
                                       rc::gen::inRange<std::uint64_t>(0, k_max_plan_buffer)),
                        [](const auto& parts) {
                            return PlanAddress{static_cast<PlanAddress::Buffer>(std::get<0>(parts)),
                                               std::get<1>(parts), std::get<2>(parts)};
                        });
}

rc::Gen<PlanData> any_data() {
    return rc::gen::exec([] {
        PlanData data;
        data.bytes =
            *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::arbitrary<std::uint8_t>());
        for (std::uint32_t at = 0; at + 8 <= data.bytes.size(); at += 8) {
            if (*rc::gen::arbitrary<bool>()) {
                std::fill_n(data.bytes.begin() + at, 8, std::uint8_t{0});
                data.pointers.push_back({at, *any_address()});
            }
        }
        return data;
    });
}

PlanDim any_dim() {
    return {*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint32_t>(),
            *rc::gen::arbitrary<std::uint32_t>()};
}

PlanStep any_step() {
    const auto size = [] { return *rc::gen::inRange<std::uint64_t>(0, k_max_plan_buffer); };
    PlanStep step{*rc::gen::arbitrary<std::uint32_t>(), {}};
    switch (*rc::gen::inRange(0, 4)) {
        case 0: {
            PlanLaunch launch{*rc::gen::string<std::string>(),
                              any_dim(),
                              any_dim(),
                              any_dim(),
                              size(),
                              *rc::gen::arbitrary<bool>(),
                              *rc::gen::arbitrary<bool>(),
                              {}};
            for (char& c : launch.kernel) {
                c = static_cast<char>(c & 0x7F);  // the text form replaces what is no UTF-8
            }
            launch.arguments = *rc::gen::container<std::vector<PlanData>>(any_data());
            step.what = std::move(launch);
            break;
        }
        case 1:
            step.what = PlanMemset{*any_address(), *rc::gen::arbitrary<std::uint8_t>(), size()};
            break;
        case 2:
            step.what = PlanCopy{*any_address(), *any_address(), size()};
            break;
        default:
            step.what = PlanWrite{*any_address(), *any_data()};
    }
    return step;
}

Plan any_plan() {
    const auto sizes = rc::gen::container<std::vector<std::uint64_t>>(
        rc::gen::inRange<std::uint64_t>(0, k_max_plan_buffer));
    Plan plan;
    plan.inputs = *sizes;
    plan.outputs = *sizes;
    plan.scratch = *sizes;
    plan.symbols = {{"table", 12}};
    PlanTensorMap map;
    map.rank = *rc::gen::arbitrary<std::uint32_t>();
    map.address = *any_address();
    map.dims[4] = *rc::gen::inRange<std::uint64_t>(0, k_max_plan_buffer);
    map.oob_fill = *rc::gen::arbitrary<std::uint32_t>();
    plan.tensor_maps = {map};
    plan.settings = {{"k", *rc::gen::inRange<std::uint64_t>(0, 1 << 20), 50, true}};
    const int steps = *rc::gen::inRange(0, 6);
    for (int i = 0; i < steps; ++i) {
        plan.steps.push_back(any_step());
    }
    return plan;
}

TEST(PlanJson, WhatIsPrintedIsReadBackTheSame) {
    EXPECT_TRUE(rc::check([] {
        const Plan plan = any_plan();
        const Expected<Plan> read = parse_plan(to_json(plan));
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == plan);
    }));
}

TEST(PlanJson, ADamagedTextIsRefusedOrReadAsWhatItSays) {
    EXPECT_TRUE(rc::check([] {
        std::string text = to_json(any_plan());
        const int changes = *rc::gen::inRange(1, 4);
        for (int i = 0; i < changes; ++i) {
            text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
        }
        if (const Expected<Plan> read = parse_plan(text)) {
            const Expected<Plan> again = parse_plan(to_json(*read));
            RC_ASSERT(again.has_value());
            RC_ASSERT(*again == *read);
        }
    }));
}

TEST(PlanJson, WhatIsMalformedIsRefusedWithItsPlace) {
    const std::string good = to_json(small_plan());
    ASSERT_TRUE(parse_plan(good));
    const auto refused = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
        const Expected<Plan> plan = parse_plan(text);
        return plan ? "accepted " + text : plan.error().message();
    };
    EXPECT_THAT(refused("\"scratch\":[512]", "\"scratch\":[-1]"), HasSubstr("scratch"));
    EXPECT_THAT(refused("\"scratch\":[512]", "\"scratch\":[512],\"more\":1"), HasSubstr("more"));
    EXPECT_THAT(refused("\"do\":\"memset\"", "\"do\":\"run\""), HasSubstr("steps 1"));
    EXPECT_THAT(refused("[64,1,1]", "[64,1]"), HasSubstr("three numbers"));
    EXPECT_THAT(refused("\"at\":0", "\"at\":1"), HasSubstr("inside the bytes"));
    EXPECT_THAT(refused("0000000000000000", "0000000000000001"), HasSubstr("must be zero"));
    EXPECT_THAT(refused("07000000", "0700000"), HasSubstr("pairs"));
    EXPECT_THAT(refused("\"buffer\":\"output\"", "\"buffer\":\"host\""), HasSubstr("'buffer'"));
    EXPECT_FALSE(parse_plan(std::string(100, '[')));
}

TEST(PlanText, ShowsWhatIsDone) {
    const std::string text = to_text(small_plan());
    EXPECT_THAT(text, HasSubstr("scratch 0: 512 bytes"));
    EXPECT_THAT(text, HasSubstr("line 10   launch softmax grid (64, 1, 1) block (256, 1, 1) shared "
                                "1024 arguments input 0, output 0, 7"));
}

}  // namespace
}  // namespace atl
