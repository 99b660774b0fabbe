#include "reward/cuda/cupti_library.hpp"

#include "reward/cuda/toolkit.hpp"

#include <fmt/format.h>

namespace atl {

Expected<CuptiLibrary> CuptiLibrary::open(const std::string& name) {
    ATOLL_TRY_ASSIGN(SharedLibrary library, SharedLibrary::open(name));
    CuptiLibrary cupti(std::move(library));
    ATOLL_TRY(cupti.load());
    std::uint32_t version = 0;
    ATOLL_TRY(cupti.check(cupti.call().get_version(&version), "cuptiGetVersion"));
    if (toolkit_of_cupti(version).major != cupti::k_cuda_major) {
        return failure(ErrorCode::unavailable,
                       fmt::format("its API version is {}, and records are known of CUDA {} only",
                                   version, cupti::k_cuda_major),
                       cupti.path(), "give the libcupti of CUDA 13");
    }
    return cupti;
}

Status CuptiLibrary::load() {
    Functions& f = m_functions;
    const SharedLibrary& from = m_library;
    ATOLL_TRY(from.load("cuptiGetVersion", f.get_version));
    ATOLL_TRY(from.load("cuptiGetResultString", f.get_result_string));
    ATOLL_TRY(from.load("cuptiActivityRegisterCallbacks", f.register_callbacks));
    ATOLL_TRY(from.load("cuptiActivityEnable", f.enable));
    ATOLL_TRY(from.load("cuptiActivityDisable", f.disable));
    ATOLL_TRY(from.load("cuptiActivityFlushAll", f.flush_all));
    ATOLL_TRY(from.load("cuptiActivityGetNextRecord", f.get_next_record));
    ATOLL_TRY(from.load("cuptiActivityGetNumDroppedRecords", f.get_dropped_records));
    ATOLL_TRY(from.load("cuptiActivityPushExternalCorrelationId", f.push_external));
    return from.load("cuptiActivityPopExternalCorrelationId", f.pop_external);
}

Status CuptiLibrary::check(cupti::Result result, const char* call) const {
    if (result == cupti::k_success) {
        return {};
    }
    const char* text = nullptr;
    if (m_functions.get_result_string(result, &text) != cupti::k_success || text == nullptr) {
        text = "CUPTI says no more";
    }
    return failure(ErrorCode::unavailable, fmt::format("{}: result {}, {}", call, result, text),
                   "CUPTI");
}

}  // namespace atl
