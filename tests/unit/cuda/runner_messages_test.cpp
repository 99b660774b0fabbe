#include "reward/gpu/runner_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace atl {
namespace {

GpuTimeCall time_call() {
    GpuTimeCall call;
    call.program = 15;
    call.workload = 7;
    GpuRefill refill;
    refill.tensor = 1;
    refill.generator = {"normal", {{"mean", 0.1}, {"stddev", 2}}};
    refill.dtype = DType::bf16;
    refill.stream = std::numeric_limits<std::uint32_t>::max();
    refill.count = 1'000'000;
    GpuRefill copy;
    copy.generator.kind = "copy";
    copy.donors = {{4095, 64}};
    call.refills = {refill, copy};
    call.output_bytes = {4096};
    call.poison = {0xff};
    call.launches = {
        {{{0, 0}, {1, 128}, {2, 1ull << 41}}, std::numeric_limits<std::uint64_t>::max(), 3}};
    call.cold = false;
    call.made_once = true;
    call.batch = 3;
    call.events = true;
    call.limit_ns = 5'000'000'000;
    return call;
}

/// An error where it is another call.
template <class Call>
Expected<Call> parse_as(std::string_view json) {
    ATOLL_TRY_ASSIGN(GpuCall call, parse_gpu_call(json));
    if (auto* const wanted = std::get_if<Call>(&call)) {
        return std::move(*wanted);
    }
    return failure(ErrorCode::invalid_argument, "another call");
}

/// `parse` must take what was written, and make the same of it.
template <class Message, class Parse>
void there_and_back(const Message& message, Parse parse) {
    const auto read = parse(to_json(message));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(to_json(*read), to_json(message));
}

TEST(RunnerMessages, ThereAndBack) {
    there_and_back(
        GpuStarted{"NVIDIA H200", "events", "no CUPTI", SandboxLevel::restricted, {"seccomp"}},
        parse_gpu_started);
    there_and_back(GpuBuffersCall{true, {8, 1ull << 40}}, parse_as<GpuBuffersCall>);
    there_and_back(GpuLoadCall{3}, parse_as<GpuLoadCall>);
    there_and_back(GpuLoaded{true}, parse_gpu_loaded);
    there_and_back(GpuPlayCall{3, {{1, {{0, 16}, {1, 0}}}, {2, {}}}, 1'000'000},
                   parse_as<GpuPlayCall>);
    there_and_back(time_call(), parse_as<GpuTimeCall>);
    there_and_back(
        GpuPlayed{{1.5, 2e9}, GpuFault{Outcome::memory_fault, "step 2 \"faulted\"", true}},
        parse_gpu_played);
    there_and_back(
        GpuTimed{
            {{1000.5, 10'000, {{"k", 999.5}, {"memset", 1}}}, {999, 1, {}}}, "cupti", std::nullopt},
        parse_gpu_timed);
}

TEST(RunnerMessages, ProfilesThereAndBack) {
    GpuProfileCall call{time_call()};
    there_and_back(call, parse_as<GpuProfileCall>);
    EXPECT_FALSE(parse_as<GpuTimeCall>(to_json(call)));
    EXPECT_FALSE(parse_as<GpuProfileCall>(to_json(time_call())));
    call.launch.launches.push_back(call.launch.launches[0]);
    EXPECT_FALSE(parse_as<GpuProfileCall>(to_json(call)));
    GpuProfiled profiled;
    profiled.counters.kernels = {{"k", 132, 256, {{"dram__bytes_read.sum", 1e9}}}};
    there_and_back(profiled, parse_gpu_profiled);
    profiled.fault = GpuFault{Outcome::timeout, "for ever", true};
    there_and_back(profiled, parse_gpu_profiled);
    profiled.counters.kernels[0].metrics["dram__bytes_read.sum"] = -1;
    EXPECT_FALSE(parse_gpu_profiled(to_json(profiled)));
    profiled.counters.kernels.assign(k_most_counted_launches + 1, {});
    EXPECT_FALSE(parse_gpu_profiled(to_json(profiled)));
    EXPECT_FALSE(parse_gpu_profiled("{}"));
}

TEST(RunnerMessages, SeedsKeepAllBits) {
    const auto read = parse_as<GpuTimeCall>(to_json(time_call()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->launches[0].seed, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(read->refills[0].generator, time_call().refills[0].generator);
    EXPECT_EQ(read->refills[1].donors, time_call().refills[1].donors);
}

TEST(RunnerMessages, ACallSaysWhatItIs) {
    EXPECT_TRUE(parse_as<GpuLoadCall>(to_json(GpuLoadCall{})));
    for (const char* none : {"", "[]", "{}", "{\"call\": 3}", "{\"call\": \"reset\"}"}) {
        const auto call = parse_gpu_call(none);
        ASSERT_FALSE(call) << none;
        EXPECT_EQ(call.error().code, ErrorCode::corrupt);
    }
    EXPECT_FALSE(parse_as<GpuPlayCall>(to_json(GpuLoadCall{})));
}

TEST(RunnerMessages, WhatIsOutOfRangeIsRefused) {
    EXPECT_FALSE(parse_as<GpuLoadCall>(to_json(GpuLoadCall{k_max_gpu_programs})));
    EXPECT_FALSE(parse_as<GpuBuffersCall>(to_json(GpuBuffersCall{false, {0}})));
    EXPECT_FALSE(parse_as<GpuBuffersCall>(
        to_json(GpuBuffersCall{false, std::vector<std::uint64_t>(65, 8)})));
    GpuPlayCall play{0, std::vector<GpuPlay>(k_max_gpu_plays), 1};
    EXPECT_TRUE(parse_as<GpuPlayCall>(to_json(play)));
    play.plays.emplace_back();
    EXPECT_FALSE(parse_as<GpuPlayCall>(to_json(play)));
    EXPECT_FALSE(parse_as<GpuPlayCall>(to_json(GpuPlayCall{0, {}, 0})));
    GpuTimeCall time = time_call();
    time.launches[0].tensors[0].buffer = k_max_gpu_buffers;
    EXPECT_FALSE(parse_as<GpuTimeCall>(to_json(time)));
    time = time_call();
    time.launches.resize(k_max_gpu_timed + 1);
    EXPECT_FALSE(parse_as<GpuTimeCall>(to_json(time)));
    GpuTimed timed{{{-1, 0, {}}}, "cupti", std::nullopt};
    EXPECT_FALSE(parse_gpu_timed(to_json(timed)));
}

TEST(RunnerMessages, EveryKeyIsAskedForAndNoOtherTaken) {
    EXPECT_FALSE(parse_as<GpuLoadCall>(R"({"call": "load"})"));
    EXPECT_FALSE(parse_as<GpuLoadCall>(R"({"call": "load", "program": 1, "more": 2})"));
    EXPECT_FALSE(parse_gpu_played(R"({"wall_ns": []})"));
    EXPECT_FALSE(parse_gpu_played(
        R"({"wall_ns": [], "fault": {"outcome": "odd", "reason": "", "runner_lost": false, "memory_short": false}})"));
    const std::string good = to_json(time_call());
    std::string bad = good;
    bad.replace(bad.find("ffffffffffffffff"), 16, "-fffffffffffffff");
    EXPECT_FALSE(parse_as<GpuTimeCall>(bad));
}

}  // namespace
}  // namespace atl
