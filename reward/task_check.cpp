#include "reward/task_check.hpp"

#include "reward/child_report.hpp"
#include "reward/launch_contract.hpp"
#include "reward/task_probe.hpp"

#include <algorithm>

namespace atl {

namespace {

using Severity = TaskFinding::Severity;

constexpr double k_child_timeout_s = 300;

/// Everything of a task that is compiled, under names for messages.
struct Program {
    std::string subject;  ///< "starter 'plain'"
    std::string rule;
    FileHandle binary;
};

void append(TaskCheck& check, std::vector<TaskFinding> findings) {
    std::move(findings.begin(), findings.end(), std::back_inserter(check.findings));
}

std::string first_error(const std::string& log) {
    const std::size_t error = log.find("error");
    const std::size_t begin = error == std::string::npos ? 0 : log.rfind('\n', error) + 1;
    return log.substr(begin, std::min<std::size_t>(log.find('\n', begin) - begin, 500));
}

/// Compiles a source; a refusal is a finding of the given severity, and no program.
Expected<bool> compile(Compiler& compiler, const std::string& source,
                       const std::vector<std::string>& libraries, Severity severity,
                       Program& program, TaskCheck& check) {
    CompileRequest request;
    request.source = source;
    request.flags = standard_flags();
    request.libraries = libraries;
    ATOLL_TRY_ASSIGN(CompileResult result, compiler.compile(request));
    if (result.status != CompileResult::Status::ok) {
        check.findings.push_back(
            {severity, program.rule,
             program.subject + " does not compile: " + first_error(result.log),
             severity == Severity::warning ? "its library may be missing" : "correct the source"});
        return false;
    }
    program.binary = std::move(result.binary);
    return true;
}

/// Loads and runs one program beside the reference in a child.
Expected<std::vector<TaskFinding>> run_program(const Task& task, const Program& reference,
                                               const Program& program) {
    return report_from_child(
        program.rule, program.subject, k_child_timeout_s, [&](ChildReport& report) {
            const auto oracle = NativeEntry::load(reference.binary, reference.subject);
            const auto entry = NativeEntry::load(program.binary, program.subject);
            if (!oracle || !entry) {
                report.add({Severity::error, program.rule,
                            (oracle ? entry.error() : oracle.error()).message(), ""});
                return;
            }
            probe_candidate(TaskProbe(task, *oracle), *entry, program.subject, program.rule,
                            report);
        });
}

Expected<std::vector<TaskFinding>> run_reference(const Task& task, const Program& reference) {
    using ProbeFunction = void (*)(const TaskProbe&, ChildReport&);
    const auto run = [&](const std::vector<ProbeFunction>& probes) {
        return report_from_child(
            reference.rule, reference.subject, k_child_timeout_s, [&](ChildReport& report) {
                const auto oracle = NativeEntry::load(reference.binary, reference.subject);
                if (!oracle) {
                    report.add({Severity::error, reference.rule, oracle.error().message(), ""});
                    return;
                }
                const TaskProbe probe(task, *oracle);
                for (const ProbeFunction function : probes) {
                    function(probe, report);
                }
            });
    };
    ATOLL_TRY_ASSIGN(std::vector<TaskFinding> findings, run({probe_reference}));
    // What a broken reference says about cheats means nothing.
    if (findings.empty()) {
        ATOLL_TRY_ASSIGN(findings, run({probe_cheats, probe_dependence, probe_precision}));
    }
    return findings;
}

Status check_native_task(const Task& task, Compiler& compiler, TaskCheck& check) {
    if (task.reference_source.empty()) {
        return {};
    }
    Program reference{"the reference", "reference", {}};
    ATOLL_TRY_ASSIGN(const bool compiled, compile(compiler, with_reference_entry_point(task), {},
                                                  Severity::error, reference, check));
    if (!compiled) {
        return {};
    }
    ATOLL_TRY_ASSIGN(std::vector<TaskFinding> own, run_reference(task, reference));
    const bool broken = std::any_of(own.begin(), own.end(), [](const TaskFinding& finding) {
        return finding.severity == Severity::error &&
               (finding.rule != "cheat" && finding.rule != "dependence");
    });
    append(check, std::move(own));
    if (broken) {
        return {};
    }
    const auto run = [&](Program program, const std::string& source,
                         const std::vector<std::string>& libraries, Severity severity) -> Status {
        ATOLL_TRY_ASSIGN(const bool built, compile(compiler, with_entry_point(task, source),
                                                   libraries, severity, program, check));
        if (built) {
            ATOLL_TRY_ASSIGN(std::vector<TaskFinding> findings,
                             run_program(task, reference, program));
            append(check, std::move(findings));
        }
        return {};
    };
    for (const Starter& starter : task.starters) {
        ATOLL_TRY(run({"starter '" + starter.name + "'", "starter", {}}, starter.source, {},
                      Severity::error));
    }
    for (const Baseline& baseline : task.baselines) {
        ATOLL_TRY(run({"baseline '" + baseline.name + "'", "baseline", {}}, baseline.source,
                      baseline.libraries,
                      baseline.libraries.empty() ? Severity::error : Severity::warning));
    }
    return {};
}

}  // namespace

const char* to_string(TaskFinding::Severity severity) {
    switch (severity) {
        case Severity::note:
            return "note";
        case Severity::warning:
            return "warning";
        case Severity::error:
            return "error";
    }
    return "error";
}

std::size_t TaskCheck::count(TaskFinding::Severity severity) const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [&](const TaskFinding& finding) { return finding.severity == severity; }));
}

Expected<TaskCheck> check_task(const TaskPtr& task, Compiler* compiler) {
    TaskCheck check;
    append(check, check_task_text(*task));
    if (task->external) {
        ATOLL_TRY_ASSIGN(std::vector<TaskFinding> findings, check_external_task(*task));
        append(check, std::move(findings));
    } else if (is_gpu_kind(task->kind)) {
        append(check, check_cuda_task(*task));
    } else if (compiler == nullptr) {
        return failure(ErrorCode::internal, "a compiler is needed to check this task", task->name);
    } else {
        ATOLL_TRY(check_native_task(*task, *compiler, check));
    }
    std::stable_sort(check.findings.begin(), check.findings.end(),
                     [](const TaskFinding& a, const TaskFinding& b) {
                         return static_cast<int>(a.severity) > static_cast<int>(b.severity);
                     });
    return check;
}

}  // namespace atl
