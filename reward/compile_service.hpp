#pragma once

#include "reward/base/hash.hpp"
#include "reward/compiler.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

namespace atl {

class CudaFrontEnd;

/// A shared object that several holders may read (it is a sealed memfd), or why there is none.
struct CompiledBinary {
    CompileResult::Status status = CompileResult::Status::error;
    std::shared_ptr<const FileHandle> binary;  ///< when ok
    std::uint64_t bytes = 0;
    std::string log;
    double seconds = 0;  ///< of the compiler's process; 0 when cached
    bool cached = false;
};

/// The compiler behind a cache: keyed by source, flags, libraries and toolchain; the least recently
/// used binaries leave when they exceed `memory_bytes` or `max_binaries` (each is an open file).
/// Two threads that ask for one binary at once compile it once. Only successes are kept.
/// Thread-safe.
class CompileService {
  public:
    explicit CompileService(std::unique_ptr<Compiler> compiler,
                            std::uint64_t memory_bytes = 256u << 20,
                            std::size_t max_binaries = 256);
    /// For CUDA candidates alone.
    explicit CompileService(std::unique_ptr<CudaFrontEnd> front_end);
    ~CompileService();

    /// An error is a fault of ours, as for Compiler, or says that the request was cancelled.
    [[nodiscard]] Expected<CompiledBinary> compile(const CompileRequest& request);

    /// What CUDA candidates are prepared by; nullptr: they are not evaluated here.
    [[nodiscard]] CudaFrontEnd* front_end() const { return m_front_end.get(); }

    /// The front end's where there is one.
    [[nodiscard]] std::string toolchain() const;
    [[nodiscard]] std::uint64_t restarts() const;
    /// Wall seconds spent in compiler processes so far, all threads together, the front end's too.
    [[nodiscard]] double seconds() const;

  private:
    struct Entry {
        Digest key;
        CompiledBinary compiled;
    };

    [[nodiscard]] Digest key_of(const CompileRequest& request) const;
    [[nodiscard]] bool find(const Digest& key, CompiledBinary& compiled);
    void remember(const Digest& key, const CompiledBinary& compiled);

    const std::unique_ptr<Compiler> m_compiler;
    const std::unique_ptr<CudaFrontEnd> m_front_end;
    const std::uint64_t m_memory_bytes = 0;
    const std::size_t m_max_binaries = 0;
    mutable std::mutex m_mutex;
    std::condition_variable_any m_finished;
    std::set<Digest> m_in_work;
    std::list<Entry> m_entries;  // most recently used first
    std::unordered_map<Digest, std::list<Entry>::iterator> m_index;
    std::uint64_t m_bytes = 0;
    double m_seconds = 0;
};

}  // namespace atl
