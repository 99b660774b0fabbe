#include "reward/compiler.hpp"

#include "reward/compiler_discovery.hpp"
#include "reward/worker_calls.hpp"
#include "reward/workers/compile_messages.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

Expected<CompileResult> result_of(Frame frame) {
    if (frame.type == FrameType::failed) {
        return tl::unexpected(parse_failed_frame(frame));
    }
    ATOLL_TRY_ASSIGN(CompileReply reply, parse_compile_reply(frame.payload));
    const bool ok = reply.status == CompileResult::Status::ok;
    if (frame.type != FrameType::compiled || frame.handles.size() != (ok ? 1 : 0)) {
        return failure(ErrorCode::corrupt, "an answer that fits no question", "compiler");
    }
    CompileResult result;
    result.status = reply.status;
    result.log = std::move(reply.log);
    result.seconds = reply.seconds;
    result.killed = reply.killed;
    result.whole_because = std::move(reply.whole_because);
    if (ok) {
        result.binary = std::move(frame.handles[0]);
    }
    return result;
}

class JailedCompiler final : public Compiler {
  public:
    JailedCompiler(FoundCompiler compiler, WorkerOptions options)
        : m_compiler(std::move(compiler)), m_worker(WorkerRole::compiler, std::move(options)) {}

    /// Starts the worker for the first time.
    [[nodiscard]] Status start() { return m_worker.start(); }
    [[nodiscard]] Expected<CompileResult> compile(const CompileRequest& request) override;
    [[nodiscard]] std::string toolchain() const override {
        return m_compiler.description + " at " + m_compiler.path;
    }
    [[nodiscard]] std::uint64_t restarts() const override { return m_worker.restarts(); }

  private:
    [[nodiscard]] Expected<CompileResult> compile_once(const CompileRequest& request);

    const FoundCompiler m_compiler;
    WorkerCalls m_worker;
};

Expected<CompileResult> JailedCompiler::compile(const CompileRequest& request) {
    ATOLL_TRY_ASSIGN(CompileResult result, compile_once(request));
    if (result.killed && !request.cancel.stop_requested()) {
        // By somebody else, or by the kernel, which was short of memory: perhaps for others. What
        // dies again does so by its own doing.
        return compile_once(request);
    }
    return result;
}

Expected<CompileResult> JailedCompiler::compile_once(const CompileRequest& request) {
    Frame frame;
    frame.type = FrameType::compile;
    frame.payload = to_json(CompileOrder{request.flags, request.libraries, request.timeout_s,
                                         request.memory_bytes, request.binary_bytes});
    ATOLL_TRY_ASSIGN(frame.handles.emplace_back(), memory_file_of(request.source));
    if (!request.prelude.empty()) {
        ATOLL_TRY_ASSIGN(frame.handles.emplace_back(), memory_file_of(request.prelude));
        ATOLL_TRY_ASSIGN(frame.handles.emplace_back(), memory_file_of(request.runtime));
    }
    ATOLL_TRY_ASSIGN(Frame answer, m_worker.ask(frame, request.timeout_s, request.cancel));
    return result_of(std::move(answer));
}

class NoCompiler final : public Compiler {
  public:
    [[nodiscard]] Expected<CompileResult> compile(const CompileRequest&) override {
        return failure(ErrorCode::unavailable, "this evaluator was made without a compiler",
                       "compiler", "evaluate one task's candidates with one evaluator");
    }
    [[nodiscard]] std::string toolchain() const override { return ""; }
    [[nodiscard]] std::uint64_t restarts() const override { return 0; }
};

}  // namespace

std::unique_ptr<Compiler> make_no_compiler() {
    return std::make_unique<NoCompiler>();
}

namespace {

/// What cannot compile this would otherwise be a compile error of every candidate.
Status try_out(Compiler& compiler, const std::string& path) {
    CompileRequest request;
    request.source = "int nothing;\n";
    request.flags = standard_flags();
    Expected<CompileResult> result = compiler.compile(request);
    if (result && result->status == CompileResult::Status::ok) {
        return {};
    }
    const std::string log = result ? result->log : result.error().what;
    return failure(result ? ErrorCode::invalid_argument : result.error().code,
                   "does not compile even \"int nothing;\" in its jail: " +
                       log.substr(0, std::min<std::size_t>(log.find('\n'), 500)),
                   path, "is it a C++ compiler, and all of it installed beside it?");
}

}  // namespace

Expected<std::unique_ptr<Compiler>> make_jailed_compiler(const CompilerOptions& options) {
    ATOLL_TRY_ASSIGN(FoundCompiler found, find_compiler(options.compiler));
    const std::string path = found.path;
    WorkerOptions worker;
    worker.program = options.worker_program;
    worker.required = options.required;
    worker.at_most = options.at_most;
    worker.cores = options.cores;
    worker.compiler = path;
    auto compiler = std::make_unique<JailedCompiler>(std::move(found), std::move(worker));
    ATOLL_TRY(compiler->start());
    ATOLL_TRY(try_out(*compiler, path));
    return compiler;
}

const std::vector<std::string>& standard_flags() {
    // No semantic interposition: without it g++ may not inline an external function into launch().
    // -z defs: what a candidate does not define itself must come from libraries named here, so
    // that nothing is left to be resolved at run time.
    static const std::vector<std::string> flags{"-std=c++20",
                                                "-O3",
                                                "-march=native",
                                                "-shared",
                                                "-fPIC",
                                                "-fno-plt",
                                                "-fno-semantic-interposition",
                                                "-fopenmp-simd",
                                                "-w",
                                                "-fmax-errors=20",
                                                "-Wl,-z,defs",
                                                "-Wl,--as-needed"};
    return flags;
}

}  // namespace atl
