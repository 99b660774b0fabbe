#include "tools/atoll/baseline_table.hpp"

#include "tools/atoll/reference_candidate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using ::testing::HasSubstr;

BaselineRow row(const std::string& what, const std::string& workload, double ns) {
    return {what, workload, ns, 0.99 * ns, 1.01 * ns, ""};
}

TorchReport report_of(TorchTaskReport task) {
    TorchReport report;
    report.tasks["softmax"] = std::move(task);
    return report;
}

TEST(BaselineTable, RatiosAreOverTheFastestStarterOfTheWorkload) {
    const std::vector<BaselineRow> rows = {row("starter a", "w", 2000), row("starter b", "w", 1000),
                                           row("starter b", "v", 50),
                                           row("PyTorch eager", "w", 500)};
    const nlohmann::json json = baseline_json(rows);
    EXPECT_EQ(json[0]["of_fastest_starter"], 2.0);
    EXPECT_EQ(json[2]["of_fastest_starter"], 1.0);
    EXPECT_EQ(json[3]["of_fastest_starter"], 0.5);
    EXPECT_THAT(baseline_table(rows), HasSubstr("0.50 x"));
    EXPECT_THAT(baseline_table(rows), HasSubstr("+-1.0 %"));
}

TEST(BaselineTable, ARowIsALineBeforeTheOthersAreKnown) {
    BaselineRow one = row("starter a", "w", 2000);
    EXPECT_THAT(baseline_line("softmax", one),
                ::testing::MatchesRegex("softmax +starter a +w +2 us +[+]-1.0 %\n"));
    one = {"PyTorch", "-", 0, 0, 0, "left out:\n\x1b[31m"};
    EXPECT_THAT(baseline_line("softmax", one),
                ::testing::MatchesRegex("softmax +PyTorch +- +- +- +left out:.*31m\n"));
    EXPECT_EQ(baseline_line("softmax", one).find('\x1b'), std::string::npos);
}

TEST(BaselineTable, WithoutATimeThereIsAReasonAndNoRatio) {
    Verdict slow;
    slow.outcome = Outcome::timeout;
    slow.reason = "took too long";
    std::vector<BaselineRow> rows = rows_of("reference.cu", slow);
    TorchReport none;
    none.left_out = "No module named \x1b[31mtorch";
    for (const BaselineRow& one : rows_of(none, "softmax")) {
        rows.push_back(one);
    }
    EXPECT_THAT(baseline_table(rows), HasSubstr("left out: timeout: took too long"));
    EXPECT_THAT(baseline_table(rows), HasSubstr("No module named ?[31mtorch"));
    EXPECT_TRUE(baseline_json(rows)[0]["median_ns"].is_null());
    EXPECT_TRUE(baseline_json(rows)[1]["of_fastest_starter"].is_null());
}

TEST(BaselineTable, DoubtsStandBesideTimes) {
    TorchTaskReport task;
    task.doubt = "three: y[0] is 2, the reference says 3";
    task.times.clock = "events";
    task.times.rows = {{"w", "eager", {900, 1000, 1100}, ""},
                       {"w", "compile", {}, "RuntimeError: no compiler"}};
    const std::vector<BaselineRow> rows = rows_of(report_of(task), "softmax");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].what, "PyTorch eager");
    EXPECT_EQ(rows[0].median_ns, 1000);
    EXPECT_THAT(rows[0].remark, HasSubstr("timed by events"));
    EXPECT_THAT(rows[0].remark, HasSubstr("the reference says 3"));
    EXPECT_EQ(rows[1].what, "torch.compile");
    EXPECT_EQ(rows[1].median_ns, 0);
    EXPECT_EQ(rows[1].remark, "RuntimeError: no compiler");
}

TEST(ReferenceCandidate, RoundsEveryOutputByTheSizesOfPublicWorkloads) {
    Task task;
    task.kind = "cuda";
    task.axes = {{"n", Axis::Kind::variable, 0, "", ""}};
    task.inputs = {{"x", DType::f32, {"n"}, false, ""}};
    task.outputs = {{"y", DType::f32, {"n"}, false, ""}, {"z", DType::i32, {"2 * n"}, false, ""}};
    Workload open;
    open.axes = {{"n", 7}};
    Workload hidden;
    hidden.axes = {{"n", 9}};
    hidden.hidden = true;
    task.workloads = {open, hidden};
    EXPECT_FALSE(reference_candidate(task)) << "it has none";
    task.reference_source =
        "void reference(const float*, double*, double*, int, cudaStream_t) {}\n";
    const auto source = reference_candidate(task);
    ASSERT_TRUE(source) << source.error().message();
    EXPECT_THAT(*source, HasSubstr("if (n == 7) { atoll_count_0 = 7; atoll_count_1 = 14; }"));
    EXPECT_THAT(*source, HasSubstr("reference(x, atoll_wide_0, atoll_wide_1, n, stream);"));
    EXPECT_THAT(*source, HasSubstr("(atoll_wide_1, z, atoll_count_1)"));
    EXPECT_EQ(source->find("== 9"), std::string::npos);
}

}  // namespace
}  // namespace atl
