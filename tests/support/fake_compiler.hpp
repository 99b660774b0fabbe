#pragma once

#include "reward/compiler.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

/// A Compiler that writes the source's text and its flags into a memfd in place of machine code,
/// but nothing of the arguments of the first "unused(". A source that contains "syntax error",
/// "does not link" or "takes too long" gives none, one with "kill_the_compiler" is a fault of ours.
/// Thread-safe.
class FakeCompiler final : public Compiler {
  public:
    /// Called at the start of every compile, on the compiling thread.
    std::function<void(const CompileRequest&)> on_compile;

    [[nodiscard]] Expected<CompileResult> compile(const CompileRequest& request) override {
        {
            const std::lock_guard lock(m_mutex);
            m_requests.push_back(request);
        }
        if (on_compile) {
            on_compile(request);
        }
        CompileResult result;
        result.seconds = 0.5;
        if (request.source.find("kill_the_compiler") != std::string::npos) {
            return failure(ErrorCode::unavailable, "the compiler's process died", "fake compiler");
        }
        if (request.source.find("syntax error") != std::string::npos) {
            result.log = "candidate.cpp:1:1: error: expected unqualified-id";
            return result;
        }
        if (request.source.find("does not link") != std::string::npos) {
            result.log = "ld: undefined reference to `f()'\ncollect2: error: ld returned 1";
            return result;
        }
        if (request.source.find("takes too long") != std::string::npos) {
            result.status = CompileResult::Status::limit;
            return result;
        }
        result.status = CompileResult::Status::ok;
        result.binary = FileHandle(memfd_create("fake", MFD_CLOEXEC));
        std::string code = request.source;
        if (const std::size_t at = code.find("unused("); at != std::string::npos) {
            code.erase(at, code.find(')', at) - at);
        }
        for (const std::string& flag : request.flags) {
            code += "\n" + flag;
        }
        if (write(result.binary.get(), code.data(), code.size()) < 0) {
            return failure(ErrorCode::io, "write failed", "fake compiler");
        }
        return result;
    }
    [[nodiscard]] std::string toolchain() const override { return "fake 1.0"; }
    [[nodiscard]] std::uint64_t restarts() const override { return 0; }

    [[nodiscard]] std::vector<CompileRequest> requests() const {
        const std::lock_guard lock(m_mutex);
        return m_requests;
    }

  private:
    mutable std::mutex m_mutex;
    std::vector<CompileRequest> m_requests;
};

}  // namespace atl::testing
