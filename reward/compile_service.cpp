#include "reward/compile_service.hpp"

#include "reward/cuda/front_end.hpp"

#include <sys/stat.h>

#include <utility>

namespace atl {

namespace {

std::uint64_t file_bytes(const FileHandle& file) {
    struct stat info {};
    return fstat(file.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace

CompileService::CompileService(std::unique_ptr<Compiler> compiler, std::uint64_t memory_bytes,
                               std::size_t max_binaries)
    : m_compiler(std::move(compiler)), m_memory_bytes(memory_bytes), m_max_binaries(max_binaries) {}

CompileService::CompileService(std::unique_ptr<CudaFrontEnd> front_end)
    : m_compiler(make_no_compiler()), m_front_end(std::move(front_end)) {}

CompileService::~CompileService() = default;

std::string CompileService::toolchain() const {
    return m_front_end != nullptr ? m_front_end->toolchain() : m_compiler->toolchain();
}

std::uint64_t CompileService::restarts() const {
    return m_compiler->restarts() +
           (m_front_end != nullptr ? m_front_end->device_compiler().restarts() : 0);
}

Digest CompileService::key_of(const CompileRequest& request) const {
    ContentHasher hasher;
    hasher.field(m_compiler->toolchain()).field(request.source);
    hasher.field(request.flags.size());
    for (const std::string& flag : request.flags) {
        hasher.field(flag);
    }
    for (const std::string& library : request.libraries) {
        hasher.field(library);
    }
    return hasher.finish();
}

bool CompileService::find(const Digest& key, CompiledBinary& compiled) {
    const auto found = m_index.find(key);
    if (found == m_index.end()) {
        return false;
    }
    m_entries.splice(m_entries.begin(), m_entries, found->second);
    compiled = found->second->compiled;
    compiled.cached = true;
    compiled.seconds = 0;
    return true;
}

void CompileService::remember(const Digest& key, const CompiledBinary& compiled) {
    m_entries.push_front({key, compiled});
    m_index[key] = m_entries.begin();
    m_bytes += compiled.bytes;
    while (m_bytes > m_memory_bytes || m_entries.size() > m_max_binaries) {
        m_bytes -= m_entries.back().compiled.bytes;
        m_index.erase(m_entries.back().key);
        m_entries.pop_back();
    }
}

Expected<CompiledBinary> CompileService::compile(const CompileRequest& request) {
    const Digest key = key_of(request);
    {
        std::unique_lock lock(m_mutex);
        CompiledBinary known;
        // After a wait the binary may be missing all the same (it did not compile): then it is
        // this thread's turn.
        if (!m_finished.wait(lock, request.cancel, [&] { return !m_in_work.contains(key); })) {
            return failure(ErrorCode::interrupted, "the compilation was cancelled", "compiler");
        }
        if (find(key, known)) {
            return known;
        }
        m_in_work.insert(key);
    }
    Expected<CompileResult> result = m_compiler->compile(request);
    CompiledBinary compiled;
    const std::lock_guard lock(m_mutex);
    m_in_work.erase(key);
    m_finished.notify_all();
    if (!result) {
        return tl::unexpected(result.error());
    }
    m_seconds += result->seconds;
    compiled.status = result->status;
    compiled.log = std::move(result->log);
    compiled.seconds = result->seconds;
    if (compiled.status == CompileResult::Status::ok) {
        compiled.bytes = file_bytes(result->binary);
        compiled.binary = std::make_shared<const FileHandle>(std::move(result->binary));
        remember(key, compiled);
    }
    return compiled;
}

double CompileService::seconds() const {
    const std::lock_guard lock(m_mutex);
    return m_seconds + (m_front_end != nullptr ? m_front_end->seconds() : 0);
}

}  // namespace atl
