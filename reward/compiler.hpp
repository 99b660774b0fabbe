#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/base/sandbox.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

struct CompileRequest {
    std::string source;  ///< one C++ translation unit
    /// Of clang only: what the source begins with, and definitions that belong to it and would
    /// follow it. Both are trusted. A worker keeps them precompiled, and a compiler that has them
    /// loaded, for later requests with the same flags and texts; where that does not work, the
    /// three texts are compiled as one. Symbols that no library of C and C++ has are found missing
    /// when the binary is loaded.
    std::string prelude = {};
    std::string runtime = {};
    std::vector<std::string> flags;      ///< checked against an allow-list by the caller
    std::vector<std::string> libraries;  ///< "openblas" -> -lopenblas; trusted sources only
    double timeout_s = 30;
    std::uint64_t memory_bytes = 4ull << 30;
    std::uint64_t binary_bytes = 64ull << 20;  ///< largest shared object accepted
    /// Once nobody wants the result, the compiler is killed and the call fails (interrupted).
    std::stop_token cancel{};
};

struct CompileResult {
    enum class Status { ok, error, limit };  ///< limit: time, memory or output exhausted
    Status status = Status::error;
    FileHandle binary;    ///< sealed memfd with the shared object, when ok
    std::string log;      ///< trimmed to the cause, at most 16 KiB
    double seconds = 0;   ///< wall time of the compiler process
    bool killed = false;  ///< by SIGKILL, which is none of our limits
    /// Why a request with a prelude was compiled as one text; empty when it was not.
    std::string whole_because;
};

/// Compiles sources to shared objects in the compile jail: nothing of the host but the compiler,
/// its headers and libraries is visible, no network, private tmpfs, limits, killed from outside.
/// Thread-safe; each call blocks its thread. An Expected error is a fault of ours.
class Compiler {
  public:
    virtual ~Compiler() = default;
    [[nodiscard]] virtual Expected<CompileResult> compile(const CompileRequest& request) = 0;
    /// "g++ (Debian 12.2.0-14) 12.2.0 at /usr/bin/g++": part of cache keys.
    [[nodiscard]] virtual std::string toolchain() const = 0;
    [[nodiscard]] virtual std::uint64_t restarts() const = 0;  ///< of its worker process
};

struct CompilerOptions {
    std::string compiler;  ///< empty: $CXX, g++, c++, clang++ in that order
    SandboxLevel required = SandboxLevel::full;
    SandboxLevel at_most = SandboxLevel::full;  ///< do not go beyond (to test the lower levels)
    std::vector<int> cores;                     ///< pinned to these; empty: anywhere
    std::string worker_program;                 ///< empty: atoll-worker beside this program
};

/// For evaluators whose tasks need none: every call fails.
[[nodiscard]] std::unique_ptr<Compiler> make_no_compiler();

/// unavailable (with what to install) when there is no compiler; invalid_argument when the one that
/// the options or $CXX name is not there, or the one that was found compiles nothing.
[[nodiscard]] Expected<std::unique_ptr<Compiler>> make_jailed_compiler(
    const CompilerOptions& options);

/// Flags every candidate and starter is compiled with: -O3 -march=native -std=c++20 -shared -fPIC
/// and those that make errors short and leave nothing to be resolved at run time.
[[nodiscard]] const std::vector<std::string>& standard_flags();

}  // namespace atl
