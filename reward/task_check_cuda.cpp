#include "reward/cuda/recording_source.hpp"
#include "reward/cuda/source_split.hpp"
#include "reward/source_text.hpp"
#include "reward/task_check.hpp"

namespace atl {

namespace {

using Severity = TaskFinding::Severity;

/// Whether the words stand in `source` outside its comments.
bool says(const std::string& source, const std::string& words) {
    return normalised_tokens(source).find(words) != std::string::npos;
}

void check_source(const Task& task, CudaEntry entry, const std::string& subject,
                  const std::string& source, std::vector<TaskFinding>& findings) {
    const std::string rule = entry == CudaEntry::launch ? "starter" : "reference";
    const std::string function = entry == CudaEntry::launch ? "launch" : "reference";
    const SplitSource split = split_cuda_source(source);
    if (!says(split.device, "__global__")) {
        findings.push_back({Severity::error, rule, subject + " defines no kernel",
                            "write a __global__ function outside of macros"});
    }
    if (!says(split.host, "void " + function + " (")) {
        findings.push_back({Severity::error, rule,
                            subject + " does not define " + function + "() for the host",
                            "define: " + cuda_launch_prototype(task, entry)});
    }
}

}  // namespace

std::vector<TaskFinding> check_cuda_task(const Task& task) {
    std::vector<TaskFinding> findings;
    if (!task.reference_source.empty()) {
        check_source(task, CudaEntry::reference, "the reference", task.reference_source, findings);
    }
    for (const Starter& starter : task.starters) {
        check_source(task, CudaEntry::launch, "starter '" + starter.name + "'", starter.source,
                     findings);
    }
    findings.push_back(
        {Severity::warning, "device",
         "nothing was compiled or run on a GPU: whether the reference and the starters are right, "
         "and whether cheats are found out, was not checked",
         "atoll plan FILE --task " + task.name + " shows a starter's launches, atoll eval " +
             task.name + " FILE.cu judges it where there is a GPU"});
    return findings;
}

}  // namespace atl
