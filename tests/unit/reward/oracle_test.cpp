#include "reward/oracle.hpp"

#include "tests/unit/reward/jail_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

FileHandle binary_that_answers(int value) {
    return testing::build_shared_object(
        "extern \"C\" void atoll_entry(void* const* tensors, const double*, const long long*) {\n"
        "    *static_cast<double*>(tensors[0]) = " +
        std::to_string(value) + ";\n}\n");
}

TaskPtr task_of_one_number() {
    auto task = std::make_shared<Task>();
    task->name = "one_number";
    task->outputs = {{"y", DType::f32, {"1"}, false, ""}};
    return task;
}

double answer_of(const Oracle& oracle) {
    return value_or_throw(oracle.run({}, {})).at(0).at(0);
}

// Two tasks may differ in their workloads only, and so share the reference's binary; one of them
// goes, and a third comes.
TEST(OracleTest, AnswersItsOwnTaskWhateverWasLoadedFromTheSameBinary) {
    const TaskPtr task = task_of_one_number();
    const FileHandle shared = binary_that_answers(1);
    const FileHandle other = binary_that_answers(2);
    auto first = value_or_throw(load_oracle(task, shared));
    const auto second = value_or_throw(load_oracle(task, shared));
    first.reset();
    const auto third = value_or_throw(load_oracle(task, other));
    EXPECT_EQ(answer_of(*second), 1);
    EXPECT_EQ(answer_of(*third), 2);
}

}  // namespace
}  // namespace atl
