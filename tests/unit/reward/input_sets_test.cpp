#include "reward/input_sets.hpp"

#include "reward/inputs.hpp"
#include "reward/verifier/shuffle.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>

#include <set>
#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;

/// A task with a sparse matrix, whose parts the tests break in one way each.
class SparseTask {
  public:
    SparseTask() {
        m_folder.write("definition.json", R"({
    "name": "small",
    "axes": {"rows": {"type": "var"}, "cols": {"type": "var"}},
    "inputs": {
        "columns": {"shape": ["3*rows"], "dtype": "int32"},
        "offsets": {"shape": ["rows + 1"], "dtype": "int64"},
        "labels": {"shape": ["rows"], "dtype": "int32"}
    },
    "outputs": {"y": {"shape": ["rows"], "dtype": "float32"}},
    "atoll": {
        "distributions": {
            "graph": {
                "columns": {"kind": "csr_columns", "offsets": "offsets", "columns": "cols"},
                "offsets": {"kind": "csr_offsets", "entries": "3*rows", "columns": "cols", "skew": 0.5, "empty": 0.3},
                "labels": {"kind": "uniform", "low": 0, "high": "cols - 1"}
            },
            "band": {
                "columns": {"kind": "csr_columns", "offsets": "offsets", "columns": "cols", "band": 5},
                "offsets": {"kind": "csr_offsets", "entries": "3*rows", "columns": "cols"},
                "labels": {"kind": "constant", "value": "cols - 1"}
            }
        }
    }
})");
        m_folder.write("workload.jsonl", line("a", 40, 17) + line("b", 7, 5));
    }
    static std::string line(const std::string& id, int rows, int cols) {
        return R"({"workload": {"uuid": ")" + id + R"(", "axes": {"rows": )" +
               std::to_string(rows) + R"(, "cols": )" + std::to_string(cols) +
               R"(}, "inputs": {}}, "atoll": {"use": "verify"}})" + "\n";
    }
    testing::SmallTask& folder() { return m_folder; }
    [[nodiscard]] TaskPtr task() const { return m_folder.task(); }
    /// The message with which the task is refused after replacing `from`.
    std::string refusal(const std::string& from, const std::string& to) {
        m_folder.replace("definition.json", from, to);
        const auto loaded = m_folder.load();
        return loaded ? "" : loaded.error().message();
    }

  private:
    testing::SmallTask m_folder;
};

std::vector<double> values_of(const Task& task, const InputSet& inputs, std::size_t index) {
    const DType dtype = task.inputs[index].dtype;
    std::vector<double> values;
    for (std::size_t i = 0; i < inputs.tensors[index].size() / size_of(dtype); ++i) {
        values.push_back(
            load_element(dtype, inputs.tensors[index].data(), static_cast<std::int64_t>(i)));
    }
    return values;
}

/// Whether columns (input 0) and offsets (input 1) are a matrix of so many columns.
bool is_valid(const Task& task, const InputSet& inputs, double columns) {
    const auto indices = values_of(task, inputs, 0);
    const auto offsets = values_of(task, inputs, 1);
    bool valid = offsets.front() == 0 && offsets.back() == static_cast<double>(indices.size());
    for (std::size_t row = 0; valid && row + 1 < offsets.size(); ++row) {
        valid = offsets[row] <= offsets[row + 1];
        for (double e = offsets[row]; valid && e < offsets[row + 1]; ++e) {
            const auto at = static_cast<std::size_t>(e);
            valid = indices[at] >= 0 && indices[at] < columns &&
                    (e == offsets[row] || indices[at - 1] < indices[at]);
        }
    }
    return valid;
}

TEST(MakeInputSet, FillsTheColumnsAfterTheOffsetsTheyFollow) {
    SparseTask sparse;
    const TaskPtr task = sparse.task();
    for (const Workload& workload : task->workloads) {
        for (const Distribution& distribution : task->distributions) {
            const auto axes = value_or_throw(bind_axes(*task, workload));
            const auto inputs =
                value_or_throw(make_input_set(*task, workload, distribution, axes, 3));
            EXPECT_TRUE(is_valid(*task, inputs, static_cast<double>(axes.at("cols"))));
            for (const double label : values_of(*task, inputs, 2)) {
                EXPECT_GE(label, 0);
                EXPECT_LT(label, static_cast<double>(axes.at("cols")));
            }
        }
    }
}

TEST(SparsePairs, NameTheInputsOfEachMatrix) {
    SparseTask sparse;
    const auto pairs = sparse_pairs(*sparse.task());
    ASSERT_EQ(pairs.size(), 1u);
    EXPECT_EQ(pairs[0].offsets, 1u);
    EXPECT_EQ(pairs[0].columns, 0u);
    EXPECT_TRUE(sparse_pairs(*testing::SmallTask().task()).empty());
}

TEST(ChangeInput, StaysAdmissible) {
    SparseTask sparse;
    const TaskPtr task = sparse.task();
    for (const Workload& workload : task->workloads) {
        for (const Distribution& distribution : task->distributions) {
            const auto axes = value_or_throw(bind_axes(*task, workload));
            const auto before =
                value_or_throw(make_input_set(*task, workload, distribution, axes, 3));
            for (std::size_t index = 0; index < 3; ++index) {
                InputSet changed = before;
                ASSERT_TRUE(change_input(*task, distribution, axes, index, 4, changed));
                // In even rows of three neighbours in a band no boundary can move.
                if (index != 1 || distribution.name == "graph") {
                    EXPECT_NE(changed.tensors[index], before.tensors[index]) << index;
                }
                EXPECT_TRUE(index == 0 || changed.tensors[0] == before.tensors[0]);
                EXPECT_TRUE(is_valid(*task, changed, static_cast<double>(axes.at("cols"))));
                for (const double label : values_of(*task, changed, 2)) {
                    EXPECT_GE(label, 0);
                    EXPECT_LT(label, static_cast<double>(axes.at("cols")));
                }
            }
        }
    }
}

// What every timed launch meets: see reward/verifier/README.md.
TEST(ShuffleInputs, KeepsMatricesValidAndBoundedNumbersInBounds) {
    SparseTask sparse;
    const TaskPtr task = sparse.task();
    const TaskLayout layout = value_or_throw(TaskLayout::create(task, false));
    CounterRng rng(1, RngPurpose::measurement, 0);
    for (std::size_t w = 0; w < layout.workloads().size(); ++w) {
        const BoundWorkload& bound = layout.workloads()[w];
        const auto columns = static_cast<double>(bound.axes.at("cols"));
        const auto donor = value_or_throw(
            make_input_set(*task, *bound.workload, task->distributions[0], bound.axes, 5));
        std::set<std::string> seen;
        for (int launch = 0; launch < 20; ++launch) {
            const InputSet made = shuffle_inputs(rng, layout, w, donor);
            EXPECT_TRUE(is_valid(*task, made, columns));
            for (const double label : values_of(*task, made, 2)) {
                EXPECT_GE(label, 0);
                EXPECT_LT(label, columns);
            }
            seen.emplace(reinterpret_cast<const char*>(made.tensors[1].data()),
                         made.tensors[1].size());
        }
        EXPECT_GT(seen.size(), 10u);
    }
}

TEST(CheckGenerators, RefusesAnUnknownAxis) {
    EXPECT_THAT(SparseTask().refusal("cols - 1", "colls - 1"),
                HasSubstr("atoll.distributions.graph.labels"));
}

TEST(CheckGenerators, RefusesAValueThatTheDtypeCannotHold) {
    EXPECT_THAT(SparseTask().refusal("cols - 1", "cols * 4000000000"), HasSubstr("int32 can hold"));
}

TEST(CheckGenerators, RefusesMoreEntriesThanThereArePlaces) {
    SparseTask sparse;
    sparse.folder().append("workload.jsonl", SparseTask::line("narrow", 9, 2));
    EXPECT_THAT(sparse.folder().load().error().message(), HasSubstr("workload 'narrow'"));
}

TEST(CheckGenerators, RefusesEntriesThatAreNotThoseOfTheColumns) {
    EXPECT_THAT(SparseTask().refusal("\"entries\": \"3*rows\"", "\"entries\": \"2*rows\""),
                HasSubstr("not those of offsets"));
}

TEST(CheckGenerators, RefusesColumnsWithoutOffsets) {
    EXPECT_THAT(SparseTask().refusal("\"offsets\": \"offsets\"", "\"offsets\": \"labels\""),
                HasSubstr("not 'labels'"));
    EXPECT_THAT(SparseTask().refusal("\"kind\": \"csr_columns\", \"offsets\": \"offsets\", "
                                     "\"columns\": \"cols\"},",
                                     "\"kind\": \"uniform\", \"low\": 0, \"high\": 1},"),
                HasSubstr("no csr_columns names"));
}

TEST(CheckGenerators, RefusesAMatrixInSomeDistributionsOnly) {
    SparseTask sparse;
    sparse.folder().replace(
        "definition.json",
        R"({"kind": "csr_columns", "offsets": "offsets", "columns": "cols", "band": 5})",
        R"({"kind": "uniform", "low": 0, "high": 1})");
    EXPECT_THAT(sparse.refusal(R"({"kind": "csr_offsets", "entries": "3*rows", "columns": "cols"})",
                               R"({"kind": "uniform", "low": 0, "high": 1})"),
                HasSubstr("in some distributions only"));
}

TEST(CheckGenerators, ADifferentExpressionIsADifferentTask) {
    SparseTask sparse;
    const Digest before = sparse.task()->digest;
    sparse.folder().replace("definition.json", "cols - 1", "cols - 2");
    EXPECT_NE(sparse.task()->digest, before);
}

}  // namespace
}  // namespace atl
