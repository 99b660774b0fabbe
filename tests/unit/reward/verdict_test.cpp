#include "reward/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;

Verdict full_verdict() {
    Verdict verdict;
    verdict.outcome = Outcome::wrong_result;
    verdict.stage = Stage::verify;
    verdict.reason = "wrong on a hidden workload";
    verdict.kind = "cpu_cpp";
    verdict.device = "cpu:1";
    verdict.toolchain = "g++ 12.2.0";
    verdict.key = content_id("key");
    verdict.compile = CompileReport{"g++ 12.2.0", {"-O3", "-DTILE=8"}, 0.25, true, 12345, "warn"};
    verdict.compile->binary = content_id("binary");
    verdict.compile->code = {{"tensor", 3}};
    VerifyCase bad;
    bad.workload = "w1";
    bad.distribution = "wide";
    bad.hidden = true;
    bad.output = "y";
    bad.max_abs_error = std::numeric_limits<double>::infinity();
    bad.max_rel_error = std::numeric_limits<double>::quiet_NaN();
    bad.matched_ratio = 0.1 + 0.2;
    bad.first_bad_index = 7;
    bad.got = -std::numeric_limits<double>::infinity();
    bad.want = 1e-300;
    verdict.verify = {bad};
    WorkloadTiming timing;
    timing.workload = "w1";
    timing.samples_ns = {1.5, 2.25, 1.0 / 3.0};
    timing.median_ns = 1.5;
    timing.low_ns = 1.4;
    timing.high_ns = 1.7;
    timing.anchor_ratio = 1.01;
    timing.clock_ratio = 1.125;
    timing.light_ns = 0.5;
    timing.noisy = true;
    timing.reverified = 3;
    verdict.measure = MeasureReport{"cpu-cold-v5", {timing}, {{"openblas", {timing}}}};
    verdict.scores = {{"score", 0.5}, {"odd", std::numeric_limits<double>::quiet_NaN()}};
    verdict.artefacts = {{"stderr", "text\n"}};
    verdict.feedback = "be faster";
    verdict.stage_times = {{Stage::compile, 0.25}, {Stage::verify, 0.125}};
    verdict.queue_seconds = 0.01;
    verdict.memory_bytes = 16u << 20;
    verdict.noise = "loud";
    ProfileReport profile;
    profile.source = "cupti";
    profile.workload = "w1";
    profile.bottleneck = Bottleneck::occupancy_limited;
    profile.sentence = "occupancy_limited: few warps fit";
    profile.memory_ns = 12.5;
    profile.tensor_types = true;
    profile.kernel = "_Z1kv";
    profile.kernel_share = 0.75;
    profile.occupancy = 0.25;
    profile.occupancy_achieved = 0.125;
    profile.limiter = "registers";
    profile.metrics = {{"gpu__time_duration.sum", 1234.5}};
    profile.kernels = {
        {"_Z1kv", 2, 1ull << 40, 256, 168, 1024, 2048, 8, 16, 1, 0.25, "registers", 3.5}};
    verdict.profile = profile;
    return verdict;
}

TEST(VerdictJson, RecordsFromBeforeTheClockRatioAreRead) {
    std::string text = to_json(full_verdict());
    for (std::size_t at; (at = text.find("\"clock_ratio\":1.125,")) != std::string::npos;) {
        text.erase(at, std::string("\"clock_ratio\":1.125,").size());
    }
    const Expected<Verdict> parsed = parse_verdict(text);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->measure->workloads.at(0).clock_ratio, 1);
}

TEST(VerdictJson, RecordsFromBeforeMemoryWasMeasuredAreRead) {
    Verdict verdict = full_verdict();
    const std::string with = to_json(verdict);
    verdict.memory_bytes.reset();
    const std::string without = to_json(verdict);
    EXPECT_EQ(without.find("memory_bytes"), std::string::npos);
    const Expected<Verdict> parsed = parse_verdict(without);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->memory_bytes, std::nullopt);
    EXPECT_EQ(to_json(*parsed), without);
    EXPECT_EQ(parse_verdict(with)->memory_bytes, 16u << 20);
    verdict.memory_bytes = 0;
    EXPECT_EQ(parse_verdict(to_json(verdict))->memory_bytes, 0u) << "none is a number, too";
}

TEST(VerdictJson, RecordsFromBeforeThereWereProfilesAreRead) {
    Verdict verdict = full_verdict();
    verdict.profile.reset();
    const std::string without = to_json(verdict);
    EXPECT_EQ(without.find("profile"), std::string::npos);
    const Expected<Verdict> parsed = parse_verdict(without);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_FALSE(parsed->profile);
    EXPECT_EQ(to_json(*parsed), without);
}

TEST(VerdictJson, AProfileWithoutCountersHasNoAchievedOccupancy) {
    Verdict verdict = full_verdict();
    verdict.profile->occupancy_achieved.reset();
    const Expected<Verdict> parsed = parse_verdict(to_json(verdict));
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_FALSE(parsed->profile->occupancy_achieved);
}

TEST(VerdictJson, KeepsEveryField) {
    const std::string text = to_json(full_verdict());
    const Expected<Verdict> parsed = parse_verdict(text);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->outcome, Outcome::wrong_result);
    EXPECT_EQ(parsed->stage, Stage::verify);
    EXPECT_EQ(parsed->key, content_id("key"));
    EXPECT_EQ(parsed->compile->flags.at(1), "-DTILE=8");
    EXPECT_EQ(parsed->compile->binary_bytes, 12345u);
    EXPECT_TRUE(parsed->compile->cached);
    EXPECT_EQ(parsed->compile->binary, content_id("binary"));
    EXPECT_EQ(parsed->compile->code, (std::map<std::string, double>{{"tensor", 3}}));
    EXPECT_TRUE(std::isinf(parsed->verify.at(0).max_abs_error));
    EXPECT_TRUE(std::isnan(parsed->verify.at(0).max_rel_error));
    EXPECT_LT(parsed->verify.at(0).got, 0);
    EXPECT_TRUE(parsed->verify.at(0).hidden);
    EXPECT_EQ(parsed->measure->workloads.at(0).samples_ns.at(2), 1.0 / 3.0);
    EXPECT_EQ(parsed->measure->workloads.at(0).clock_ratio, 1.125);
    EXPECT_EQ(parsed->measure->rivals.at("openblas").at(0).reverified, 3);
    // The text is canonical, so equal texts mean that no field was dropped.
    EXPECT_EQ(to_json(*parsed), text);
}

TEST(VerdictJson, KeepsTheSmallestVerdict) {
    const std::string text = to_json(Verdict{});
    const Expected<Verdict> parsed = parse_verdict(text);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_FALSE(parsed->measure);
    EXPECT_FALSE(parsed->compile);
    EXPECT_EQ(to_json(*parsed), text);
}

TEST(VerdictJson, WritesNonFiniteNumbersAsStrings) {
    const std::string text = to_json(full_verdict());
    EXPECT_THAT(text, HasSubstr("\"max_abs_error\":\"inf\""));
    EXPECT_THAT(text, HasSubstr("\"max_rel_error\":\"nan\""));
    EXPECT_THAT(text, HasSubstr("\"got\":\"-inf\""));
}

TEST(VerdictJson, SurvivesBytesThatAreNotUtf8) {
    Verdict verdict;
    verdict.compile = CompileReport{};
    verdict.compile->log = "caf\xe9 \xff";
    EXPECT_TRUE(parse_verdict(to_json(verdict)));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(VerdictJson, RefusesWhatItDidNotWrite) {
    const std::string good = to_json(full_verdict());
    const auto why = [](const std::string& text) {
        const Expected<Verdict> parsed = parse_verdict(text);
        return parsed ? std::string("accepted") : parsed.error().message();
    };
    EXPECT_THAT(why(""), HasSubstr("not a JSON object"));
    EXPECT_THAT(why("[]"), HasSubstr("not a JSON object"));
    EXPECT_THAT(why(good.substr(0, good.size() / 2)), HasSubstr("not a JSON object"));
    EXPECT_THAT(why(replaced(good, "\"wrong_result\"", "\"fine\"")), HasSubstr("unknown outcome"));
    EXPECT_THAT(why(replaced(good, "\"outcome\":\"wrong_result\"", "\"outcome\":5")),
                HasSubstr("outcome"));
    EXPECT_THAT(why(replaced(good, "\"stage\":\"verify\"", "\"stage\":\"x\"")), HasSubstr("stage"));
    EXPECT_THAT(why(replaced(good, "\"queue_seconds\":0.01", "\"queue_seconds\":\"soon\"")),
                HasSubstr("queue_seconds"));
    EXPECT_THAT(why(replaced(good, "\"reverified\":3", "\"reverified\":-3")),
                HasSubstr("reverified"));
    EXPECT_THAT(why(replaced(good, "\"reverified\":3", "\"reverified\":18446744073709551615")),
                HasSubstr("reverified"));
    EXPECT_THAT(why(replaced(good, "\"memory_bytes\":16777216", "\"memory_bytes\":-1")),
                HasSubstr("memory_bytes"));
    for (const auto& [from, to] : {
             std::pair("\"bottleneck\":\"occupancy_limited\"", "\"bottleneck\":\"bad luck\""),
             std::pair("\"source\":\"cupti\"", "\"source\":\"hearsay\""),
             std::pair("\"occupancy\":0.25", "\"occupancy\":1.25"),
             std::pair("\"occupancy_achieved\":0.125", "\"occupancy_achieved\":\"nan\""),
             std::pair("\"registers\":168", "\"registers\":-1"),
             std::pair("gpu__time_duration.sum\":", "gpu time\":"),
             std::pair(":1234.5", ":\"inf\""),
         }) {
        EXPECT_THAT(why(replaced(good, from, to)), HasSubstr("profile")) << to;
    }
    EXPECT_THAT(why(replaced(good, "\"memory_bytes\":16777216", "\"memory_bytes\":null")),
                HasSubstr("memory_bytes"));
    EXPECT_THAT(why(replaced(good, "\"first_bad_index\":7", "\"first_bad_index\":1e300")),
                HasSubstr("first_bad_index"));
    EXPECT_THAT(why(replaced(good, "\"from_cache\":false", "\"from_cache\":0")),
                HasSubstr("from_cache"));
    EXPECT_THAT(why(replaced(good, "\"noise\":\"loud\"", "\"noisy\":\"loud\"")),
                HasSubstr("noise"));
    EXPECT_THAT(why(replaced(good, "\"noise\":", "\"more\":1,\"noise\":")),
                HasSubstr("unknown field 'more'"));
    EXPECT_THAT(why(replaced(good, content_id("key").hex(), "abc")), HasSubstr("key"));
    EXPECT_THAT(why("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}"),
                HasSubstr("too deeply"));
}

TEST(VerdictJson, SaysWhenANewerProgramWroteIt) {
    const Expected<Verdict> parsed =
        parse_verdict(replaced(to_json(Verdict{}), "\"version\":1", "\"version\":99"));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::too_new);
}

Verdict timed(std::initializer_list<double> medians) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.measure.emplace();
    for (const double median : medians) {
        WorkloadTiming timing;
        timing.workload = "w" + std::to_string(verdict.measure->workloads.size());
        timing.median_ns = median;
        verdict.measure->workloads.push_back(timing);
    }
    return verdict;
}

TEST(PublicGeomean, IsTheGeometricMeanOfPublicMedians) {
    Verdict verdict = timed({100, 400, 7});
    verdict.measure->workloads.back().hidden = true;
    EXPECT_DOUBLE_EQ(public_geomean_ns(verdict).value(), 200);
}

TEST(PublicGeomean, IsNothingWithoutUsableTimes) {
    EXPECT_FALSE(public_geomean_ns(Verdict{}));
    EXPECT_FALSE(public_geomean_ns(timed({})));
    EXPECT_FALSE(public_geomean_ns(timed({100, 0})));
    EXPECT_FALSE(public_geomean_ns(timed({100, -1})));
    EXPECT_FALSE(public_geomean_ns(timed({100, std::nan("")})));
    EXPECT_FALSE(public_geomean_ns(timed({100, std::numeric_limits<double>::infinity()})));
}

TEST(StageNames, RoundTrip) {
    for (int i = 0; i <= static_cast<int>(Stage::profile); ++i) {
        const Stage stage = static_cast<Stage>(i);
        EXPECT_EQ(stage_from(to_string(stage)), stage);
    }
    EXPECT_FALSE(stage_from("nowhere"));
}

}  // namespace
}  // namespace atl
