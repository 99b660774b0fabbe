#include "tools/atoll/torch_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;

Task task_with_hidden_workload() {
    Task task;
    task.name = "softmax";
    Workload timed;
    timed.id = "large";
    Workload hidden;
    hidden.id = "secret";
    hidden.hidden = true;
    task.workloads = {timed, hidden};
    return task;
}

std::string with_rows(const std::string& rows) {
    return R"({"task":"softmax","clock":"cupti","check_error":"","rows":[)" + rows + "]}";
}

std::string row(const std::string& workload, const std::string& mode, const std::string& samples,
                const std::string& problem = "") {
    return R"({"workload":")" + workload + R"(","mode":")" + mode + R"(","samples_ns":[)" +
           samples + R"(],"problem":")" + problem + "\"}";
}

std::string refusal(const std::string& line) {
    const auto times = parse_torch_times(line, task_with_hidden_workload());
    return times ? "" : times.error().message();
}

TEST(TorchAnswer, ReadsTimesAndReasons) {
    const auto times = parse_torch_times(
        with_rows(row("large", "eager", "5,6") + "," + row("large", "compile", "", "no compiler")),
        task_with_hidden_workload());
    ASSERT_TRUE(times) << times.error().message();
    EXPECT_EQ(times->rows[0].samples_ns, (std::vector<double>{5, 6}));
    EXPECT_EQ(times->rows[1].problem, "no compiler");
}

TEST(TorchAnswer, RefusesTimesThatAreNone) {
    for (const char* bad : {"0", "-1", "1e300", "NaN", "null", "\"5\"", "1e999"}) {
        EXPECT_NE(refusal(with_rows(row("large", "eager", bad))), "") << bad;
    }
    std::string many = "1";
    for (int i = 0; i < 2000; ++i) {
        many += ",1";
    }
    EXPECT_NE(refusal(with_rows(row("large", "eager", many))), "");
    EXPECT_THAT(refusal(with_rows(row("large", "eager", ""))), HasSubstr("neither"));
}

TEST(TorchAnswer, RefusesWhatWasNotAskedFor) {
    EXPECT_THAT(refusal(with_rows(row("secret", "eager", "1"))), HasSubstr("not asked for"));
    EXPECT_THAT(refusal(with_rows(row("other", "eager", "1"))), HasSubstr("not asked for"));
    EXPECT_THAT(refusal(with_rows(row("large", "magic", "1"))), HasSubstr("mode"));
    const std::string one = row("large", "eager", "1");
    EXPECT_THAT(refusal(with_rows(one + "," + one)), HasSubstr("twice"));
    EXPECT_THAT(refusal(R"({"task":"matmul","clock":"","check_error":"","rows":[]})"),
                HasSubstr("task"));
    EXPECT_NE(refusal("[]"), "");
    EXPECT_NE(refusal(std::string(2 << 20, '[')), "");
    EXPECT_NE(refusal(R"({"task":"softmax","clock":"","check_error":"","rows":[3]})"), "");
    EXPECT_NE(refusal(R"({"task":"softmax","clock":"","check_error":"","rows":[],"more":1})"), "");
}

TEST(TorchAnswer, TheFirstLineIsOfThisVersion) {
    EXPECT_TRUE(parse_torch_program(R"({"version":1,"torch":"2","device":"d","unavailable":""})"));
    EXPECT_FALSE(parse_torch_program(R"({"version":2,"torch":"2","device":"d","unavailable":""})"));
    EXPECT_FALSE(parse_torch_program(R"({"version":1})"));
}

}  // namespace
}  // namespace atl
