#include "tools/atoll/sanitize_candidates.hpp"

#include "reward/gpu/sanitizer.hpp"
#include "reward/gpu_devices.hpp"
#include "reward/kinds/cuda_program.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"

namespace atl {

namespace {

constexpr const char* k_artefact = "compute-sanitizer";

bool reached_the_device(const EvaluatedFile& one) {
    return one.result && one.result->stage > Stage::compile;
}

template <class T>
T usable_or_throw(Expected<T> expected) {
    if (!expected) {
        throw CommandError(k_exit_infrastructure, expected.error().message());
    }
    return std::move(*expected);
}

void add_report(const SanitizerReport& report, const std::vector<std::string>& tools,
                Verdict& verdict) {
    std::string text;
    for (const std::string& line : report.lines) {
        text += line + "\n";
    }
    for (const std::string& tool : tools) {
        if (text.find(tool + ":") == std::string::npos) {
            text += tool + ": found nothing\n";
        }
    }
    verdict.artefacts[k_artefact] = text;
    if (report.fault && is_correct(verdict.outcome)) {
        verdict.outcome = *report.fault;
        verdict.reason = "compute-sanitizer: " + report.reason;
    }
}

}  // namespace

std::string compute_sanitizer_or_throw(const Task& task) {
    if (!is_gpu_kind(task.kind)) {
        throw CommandError(
            k_exit_usage,
            "--sanitize watches kernels on a GPU; candidates of kind " + task.kind + " have none");
    }
    return usable_or_throw(find_compute_sanitizer());
}

void sanitize_candidates(const TaskPtr& task, const std::vector<Candidate>& candidates,
                         const LocalEvaluatorOptions& options, const std::string& program,
                         const std::vector<std::string>& tools,
                         std::vector<EvaluatedFile>& evaluated) {
    const CudaToolkit toolkit = find_toolkit(options);
    const std::unique_ptr<CudaFrontEnd> front_end =
        usable_or_throw(make_gpu_front_end(options, toolkit));
    SanitizerOptions sanitizer;
    sanitizer.program = program;
    sanitizer.tools = tools;
    sanitizer.driver = toolkit.driver->path;
    sanitizer.gpu = options.gpus.empty() ? 0 : options.gpus.front();
    for (std::size_t i = 0; i < evaluated.size(); ++i) {
        if (!reached_the_device(evaluated[i])) {
            continue;
        }
        EvaluationRequest request;
        request.task = task;
        const FrontEndReply prepared = usable_or_throw(
            front_end->prepare(front_end_request(request, candidates[i], options.limits, {})));
        if (!prepared.fault) {
            add_report(usable_or_throw(sanitize(*task, prepared, sanitizer)), tools,
                       *evaluated[i].result);
        }
    }
}

}  // namespace atl
