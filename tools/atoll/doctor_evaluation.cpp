#include "reward/base/private_folder.hpp"
#include "reward/evaluator.hpp"
#include "tools/atoll/doctor_checks.hpp"

#include <filesystem>
#include <fstream>

namespace atl {

namespace {

constexpr const char* k_definition = R"({
    "name": "doctor",
    "op_type": "elementwise",
    "axes": {"n": {"type": "var"}},
    "inputs": {"x": {"shape": ["n"], "dtype": "float32"}},
    "outputs": {"y": {"shape": ["n"], "dtype": "float32"}},
    "atoll": {
        "schema": 1,
        "kind": "cpu_cpp",
        "distributions": {"normal": {"x": {"kind": "normal"}}},
        "tolerance": {"rtol": 1e-5},
        "work": {"flops": "n", "bytes": "8*n"}
    }
})";
constexpr const char* k_workloads =
    R"({"definition": "doctor", "workload": {"uuid": "odd", "axes": {"n": 37}, "inputs": {}}, "atoll": {"use": "verify"}}
{"definition": "doctor", "workload": {"uuid": "timed", "axes": {"n": 65536}, "inputs": {}}, "atoll": {"use": "measure"}}
)";
constexpr const char* k_reference =
    "extern \"C\" void reference(const float* x, double* y, int n) {\n"
    "    for (int i = 0; i < n; ++i) y[i] = 3.0 * x[i];\n"
    "}\n";
constexpr const char* k_starter =
    "extern \"C\" void launch(const float* x, float* y, int n) {\n"
    "    for (int i = 0; i < n; ++i) y[i] = 3.0f * x[i];\n"
    "}\n";

/// Writes the task into `folder`.
void write_task(const std::filesystem::path& folder) {
    const auto write = [&](const char* name, const char* text) {
        std::ofstream(folder / name) << text;
    };
    std::error_code ignored;  // the task is read next, which says what is missing
    std::filesystem::create_directories(folder / "starters", ignored);
    write("definition.json", k_definition);
    write("workload.jsonl", k_workloads);
    write("reference.cpp", k_reference);
    write("starters/plain.cpp", k_starter);
}

/// What went wrong; empty when a right candidate passed.
std::string evaluate_once(const TaskPtr& task, DoctorSection& section) {
    Expected<std::unique_ptr<Evaluator>> evaluator = make_local_evaluator({});
    if (!evaluator) {
        return evaluator.error().message();
    }
    section.facts.emplace_back("evaluator", (*evaluator)->description());
    EvaluationRequest request;
    request.task = task;
    request.candidate.source = task->starters.front().source;
    request.deadline = std::chrono::seconds(60);
    const EvaluationResult result = evaluate_and_wait(**evaluator, std::move(request));
    if (!result) {
        return result.error().error.message();
    }
    section.facts.emplace_back("verdict", std::string(to_string(result->outcome)));
    return result->outcome == Outcome::passed ? "" : "a right candidate failed: " + result->reason;
}

std::string problem_of_evaluation(DoctorSection& section) {
    const Expected<PrivateFolder> parent = PrivateFolder::make("atoll-doctor-");
    if (!parent) {
        return "no folder can be made in the temporary folder ($TMPDIR): " +
               parent.error().message();
    }
    const std::filesystem::path folder = parent->path() / "doctor";
    write_task(folder);
    const Expected<TaskPtr> task = load_task(folder);
    return task ? evaluate_once(*task, section)
                : "the temporary folder cannot be used: " + task.error().message();
}

}  // namespace

DoctorSection check_evaluation() {
    DoctorSection section{"evaluation", {}, {}, {}};
    const std::string problem = problem_of_evaluation(section);
    if (!problem.empty()) {
        section.problems.push_back(problem);
    }
    return section;
}

}  // namespace atl
