#include "reward/kinds/cpu_cpp.hpp"

#include "reward/base/words.hpp"
#include "reward/code_facts.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "reward/kinds/device_order.hpp"
#include "reward/kinds/device_reply.hpp"
#include "reward/launch_contract.hpp"
#include "reward/workers/compile_log.hpp"

#include <chrono>
#include <stop_token>
#include <utility>

namespace atl {

namespace {

CompileRequest compile_request(const Task& task, const Candidate& candidate,
                               const EvaluationLimits& limits) {
    CompileRequest request;
    request.source = with_entry_point(task, candidate.source);
    request.flags = standard_flags();
    for (const auto& [name, value] : candidate.tune) {
        request.flags.push_back("-D" + name + "=" + value);
    }
    request.flags.insert(request.flags.end(), candidate.flags.begin(), candidate.flags.end());
    request.timeout_s = limits.compile_timeout_s;
    return request;
}

constexpr const char* k_unlinked = "undefined reference";

CompileReport report_of(const CompileService& compiler, const CompileRequest& request,
                        const CompiledBinary& compiled) {
    CompileReport report;
    report.compiler = compiler.toolchain();
    report.flags = request.flags;
    report.seconds = compiled.seconds;
    report.cached = compiled.cached;
    report.binary_bytes = compiled.bytes;
    report.log = compiled.log;
    return report;
}

/// The reference is trusted, so a compiler's refusal is the task's fault, not the candidate's.
Expected<std::shared_ptr<const FileHandle>> compile_oracle(const Task& task,
                                                           CompileService& compiler,
                                                           const EvaluationLimits& limits,
                                                           const std::stop_token& cancel) {
    CompileRequest request;
    request.source = with_reference_entry_point(task);
    request.flags = standard_flags();
    request.timeout_s = limits.compile_timeout_s;
    request.cancel = cancel;
    ATOLL_TRY_ASSIGN(const CompiledBinary compiled, compiler.compile(request));
    if (compiled.log.find("'::reference' has not been declared") != std::string::npos) {
        return failure(ErrorCode::invalid_argument, "the function reference() is missing",
                       (task.folder / "reference.cpp").string(),
                       "define: " + reference_prototype(task));
    }
    if (compiled.status != CompileResult::Status::ok) {
        // What took too long may be a busy machine's doing, and is tried again.
        const bool limit = compiled.status == CompileResult::Status::limit;
        const bool unlinked = compiled.log.find(k_unlinked) != std::string::npos;
        return failure(limit ? ErrorCode::limit : ErrorCode::invalid_argument,
                       "the reference does not compile: " +
                           first_line_with(compiled.log, unlinked ? k_unlinked : "error"),
                       (task.folder / "reference.cpp").string(),
                       "run: atoll task check " + shell_quoted(task.folder.string()));
    }
    return compiled.binary;
}

class CpuCppKind final : public CandidateKind {
  public:
    std::string name() const override { return "cpu_cpp"; }
    std::string trust() const override { return "jailed"; }
    std::string fingerprint() const override {
        std::string text = k_cpu_protocol;
        for (const std::string& flag : standard_flags()) {
            text += " " + flag;
        }
        return text;
    }

    std::string contract(const Task& task) const override {
        return "One C++20 translation unit that defines\n\n    " + launch_prototype(task) +
               "\n\n"
               "- Tensors are dense, row-major, do not overlap and start on a 64-byte boundary.\n"
               "- Every element of every output must be written; inputs must stay as they are.\n"
               "- Compiled by g++ (or clang++) with -std=c++20 -O3 -march=native -fopenmp-simd.\n"
               "- The caches hold neither inputs nor outputs when a timed call begins.\n"
               "- The standard library and vector intrinsics may be used. Files, sockets and new\n"
               "  processes are not there; threads only help as far as the device has cores.\n"
               "- Memory outside the tensors must not be touched: pages around them fault.\n"
               "- Answers kept from one call to the next are wrong: inputs change before every "
               "call.\n"
               "- A macro that may be varied: #ifndef TILE / #define TILE 64  // tune: 32, 64, 128 "
               "/ #endif\n";
    }

    std::string standalone_source(const Candidate& candidate) const override {
        return source_with_defines(candidate);
    }

    std::optional<std::string> lint(const Task& task, const Candidate& candidate) const override {
        if (std::optional<std::string> problem = lint_common(task, candidate)) {
            return problem;
        }
        if (!candidate.files.empty()) {
            return "a folder cannot be a candidate of kind cpu_cpp: give one C++ file";
        }
        if (candidate.source.find("launch") == std::string::npos) {
            return "the source does not define launch(): expected " + launch_prototype(task);
        }
        return std::nullopt;
    }

    Expected<Prepared> prepare(const EvaluationRequest& request, Verdict verdict,
                               const EvaluationLimits& limits, CompileService& compiler,
                               std::stop_token cancel) const override {
        const Task& task = *request.task;
        const auto start = std::chrono::steady_clock::now();
        Prepared prepared;
        prepared.verdict = std::move(verdict);
        CompileRequest order = compile_request(task, request.candidate, limits);
        order.cancel = cancel;
        ATOLL_TRY_ASSIGN(const CompiledBinary compiled, compiler.compile(order));
        prepared.verdict.compile = report_of(compiler, order, compiled);
        prepared.verdict.stage = Stage::compile;
        prepared.verdict.stage_times.push_back({Stage::compile, seconds_since(start)});
        if (compiled.status != CompileResult::Status::ok) {
            end_at_compile(compiled, prepared);
            return prepared;
        }
        ATOLL_TRY_ASSIGN(const std::string bytes, read_whole_file(*compiled.binary, "binary"));
        prepared.verdict.compile->code = shared_object_facts(bytes);
        prepared.order = device_order(request, limits);
        ATOLL_TRY_ASSIGN(prepared.order.oracle, compile_oracle(task, compiler, limits, cancel));
        prepared.order.binaries.push_back(compiled.binary);
        for (const Rival& rival : request.rivals) {
            ATOLL_TRY(add_rival(task, rival, limits, compiler, cancel, prepared));
        }
        return prepared;
    }

    Expected<Verdict> execute(const EvaluationRequest&, Prepared prepared,
                              DeviceLane& lane) const override {
        return execute_on(lane, std::move(prepared));
    }

  private:
    static void end_at_compile(const CompiledBinary& compiled, Prepared& prepared) {
        const bool limit = compiled.status == CompileResult::Status::limit;
        prepared.ended = true;
        prepared.verdict.outcome = limit ? Outcome::compile_limit : Outcome::compile_error;
        prepared.verdict.reason = compile_reason(limit, compiled.log);
    }

    /// A rival that cannot be built is left out and noted: it must not cost the candidate its
    /// verdict.
    static Status add_rival(const Task& task, const Rival& rival, const EvaluationLimits& limits,
                            CompileService& compiler, const std::stop_token& cancel,
                            Prepared& prepared) {
        CompileRequest request = compile_request(task, rival.candidate, limits);
        request.cancel = cancel;
        request.libraries = rival.libraries;
        ATOLL_TRY_ASSIGN(const CompiledBinary compiled, compiler.compile(request));
        if (compiled.status != CompileResult::Status::ok) {
            leave_out(rival, first_line_with(compiled.log, "error"), prepared);
            return {};
        }
        add_to_order(rival, compiled.binary, prepared);
        return {};
    }
};

}  // namespace

std::shared_ptr<const CandidateKind> make_cpu_cpp_kind() {
    return std::make_shared<CpuCppKind>();
}

}  // namespace atl
