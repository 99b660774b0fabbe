#include "reward/cuda/front_end.hpp"

#include "reward/cuda/explicit_preparation.hpp"
#include "reward/cuda/preparation.hpp"
#include "reward/cuda/recorder_trial.hpp"

#include <utility>

namespace atl {

namespace {

Digest key_of(const FrontEndRequest& request) {
    ContentHasher hasher;
    hasher.field(request.task->digest).field(request.source);
    hasher.field(static_cast<std::uint64_t>(request.form));
    hasher.field(request.tune.size());
    for (const auto& [name, value] : request.tune) {
        hasher.field(name).field(value);
    }
    hasher.field(request.flags.size());
    for (const std::string& flag : request.flags) {
        hasher.field(flag);
    }
    hasher.field(request.reference ? "reference" : "launch");
    return hasher.field(request.with_hidden ? "with hidden" : "public").finish();
}

}  // namespace

Expected<std::unique_ptr<CudaFrontEnd>> CudaFrontEnd::make(FrontEndOptions options) {
    ATOLL_TRY_ASSIGN(std::unique_ptr<DeviceCompiler> compiler,
                     DeviceCompiler::make(options.device_compiler));
    std::unique_ptr<CudaFrontEnd> made(new CudaFrontEnd(std::move(options), std::move(compiler)));
    ATOLL_TRY_ASSIGN(Recorder * recorder, made->own_recorder());
    ATOLL_TRY(try_recorder(*recorder, made->m_options.device));
    made->m_clang = recorder->toolchain();
    return made;
}

std::string CudaFrontEnd::toolchain() const {
    return m_compiler->toolchain() + ", " + m_clang;
}

double CudaFrontEnd::seconds() const {
    const std::lock_guard lock(m_mutex);
    return m_seconds;
}

Expected<Recorder*> CudaFrontEnd::own_recorder() {
    const std::thread::id self = std::this_thread::get_id();
    {
        const std::lock_guard lock(m_mutex);
        if (const auto known = m_recorders.find(self); known != m_recorders.end()) {
            return known->second.get();
        }
    }
    // Not under the lock: starting processes takes a while, and several threads begin at once.
    ATOLL_TRY_ASSIGN(std::unique_ptr<Recorder> made, Recorder::create(m_options.recorder));
    const std::lock_guard lock(m_mutex);
    return m_recorders.emplace(self, std::move(made)).first->second.get();
}

Expected<FrontEndReply> CudaFrontEnd::prepare_by_form(const FrontEndRequest& request) {
    if (request.form == SourceForm::cubin && !m_options.takes_cubins) {
        return failure(ErrorCode::unavailable,
                       "the driver does not tell the parameters of machine code", "kind cubin",
                       "install a driver of CUDA 12.4 or later");
    }
    if (request.form != SourceForm::cuda) {
        return prepare_explicit(request, m_options.device, *m_compiler);
    }
    ATOLL_TRY_ASSIGN(Recorder * recorder, own_recorder());
    return Preparation(request, m_options.device, *recorder, *m_compiler).run();
}

Expected<FrontEndReply> CudaFrontEnd::prepare_now(const FrontEndRequest& request) {
    Expected<FrontEndReply> reply = prepare_by_form(request);
    if (reply) {
        const std::lock_guard lock(m_mutex);
        m_seconds += reply->host_compile_seconds + reply->device_compile_seconds;
    }
    return reply;
}

Expected<FrontEndReply> CudaFrontEnd::prepare(const FrontEndRequest& request) {
    const Digest key = key_of(request);
    ATOLL_TRY_ASSIGN(const std::shared_ptr<const FrontEndReply> known,
                     m_cache.find_or_claim(key, request.cancel));
    if (known != nullptr) {
        FrontEndReply reply = *known;
        reply.host_compile_seconds = reply.record_seconds = reply.device_compile_seconds = 0;
        reply.cached = true;
        return reply;
    }
    PreparedClaim claim(m_cache, key);
    Expected<FrontEndReply> reply = prepare_now(request);
    if (reply && !reply->fault) {
        claim.keep(std::make_shared<const FrontEndReply>(*reply));
    }
    return reply;
}

}  // namespace atl
