#include "reward/cuda/cupti_profiler.hpp"

namespace atl {

namespace {

/// An image is some hundred KiB; beyond this its size is no answer.
constexpr std::size_t k_most_config_bytes = 64u << 20;

}  // namespace

Expected<CuptiProfiler> CuptiProfiler::open(const std::string& name) {
    ATOLL_TRY_ASSIGN(CuptiLibrary cupti, CuptiLibrary::open(name));
    ATOLL_TRY_ASSIGN(const SharedLibrary library, SharedLibrary::open(name));
    CuptiProfiler profiler(std::move(cupti));
    ATOLL_TRY(profiler.load(library));
    return profiler;
}

Status CuptiProfiler::load(const SharedLibrary& from) {
    Functions& f = m_functions;
    ATOLL_TRY(from.load("cuptiProfilerInitialize", f.initialize));
    ATOLL_TRY(from.load("cuptiDeviceGetChipName", f.chip_name));
    ATOLL_TRY(from.load("cuptiProfilerHostInitialize", f.host_initialize));
    ATOLL_TRY(from.load("cuptiProfilerHostDeinitialize", f.host_deinitialize));
    ATOLL_TRY(from.load("cuptiProfilerHostConfigAddMetrics", f.host_add_metrics));
    ATOLL_TRY(from.load("cuptiProfilerHostGetConfigImageSize", f.host_config_size));
    ATOLL_TRY(from.load("cuptiProfilerHostGetConfigImage", f.host_config));
    ATOLL_TRY(from.load("cuptiProfilerHostGetNumOfPasses", f.host_passes));
    ATOLL_TRY(from.load("cuptiProfilerHostEvaluateToGpuValues", f.host_evaluate));
    ATOLL_TRY(from.load("cuptiRangeProfilerEnable", f.enable));
    ATOLL_TRY(from.load("cuptiRangeProfilerDisable", f.disable));
    ATOLL_TRY(from.load("cuptiRangeProfilerGetCounterDataSize", f.data_size));
    ATOLL_TRY(from.load("cuptiRangeProfilerCounterDataImageInitialize", f.data_initialize));
    ATOLL_TRY(from.load("cuptiRangeProfilerSetConfig", f.set_config));
    ATOLL_TRY(from.load("cuptiRangeProfilerStart", f.start));
    ATOLL_TRY(from.load("cuptiRangeProfilerStop", f.stop));
    ATOLL_TRY(from.load("cuptiRangeProfilerDecodeData", f.decode));
    return from.load("cuptiRangeProfilerGetCounterDataInfo", f.data_info);
}

Status CuptiProfiler::check(cupti::Result result, const char* call) const {
    Status status = m_cupti.check(result, call);
    if (!status && result == cupti::k_insufficient_privileges) {
        status.error().hint =
            "counters are for administrators here: load the nvidia module with "
            "NVreg_RestrictProfilingToAdminUsers=0, or run as root";
    }
    return status;
}

void CuptiMetrics::Deinitialize::operator()(cupti::HostProfiler* host) const {
    cupti::HostDeinitializeParameters parameters;
    parameters.host = host;
    deinitialize(&parameters);
}

Expected<CuptiMetrics::Host> CuptiMetrics::make_host(const CuptiProfiler& profiler,
                                                     const std::string& chip) {
    cupti::HostInitializeParameters parameters;
    parameters.chip = chip.c_str();
    ATOLL_TRY(profiler.check(profiler.call().host_initialize(&parameters),
                             "cuptiProfilerHostInitialize"));
    return Host(parameters.host, {profiler.call().host_deinitialize});
}

/// A chip that does not know one of several metrics takes none of them, so each is asked for alone.
bool CuptiMetrics::has(const CuptiProfiler& profiler, const std::string& chip,
                       const std::string& name) {
    const Expected<Host> host = make_host(profiler, chip);
    if (!host) {
        return false;
    }
    const char* pointer = name.c_str();
    cupti::HostAddMetricsParameters parameters;
    parameters.host = host->get();
    parameters.names = &pointer;
    parameters.count = 1;
    return profiler.call().host_add_metrics(&parameters) == cupti::k_success;
}

Expected<CuptiMetrics> CuptiMetrics::make(const CuptiProfiler& profiler, const std::string& chip,
                                          const std::vector<std::string>& names) {
    CuptiMetrics metrics(profiler);
    ATOLL_TRY_ASSIGN(metrics.m_host, make_host(profiler, chip));
    metrics.m_names = names;
    if (metrics.configure()) {
        return metrics;
    }
    metrics.m_names.clear();
    for (const std::string& name : names) {
        if (has(profiler, chip, name)) {
            metrics.m_names.push_back(name);
        }
    }
    if (metrics.m_names.empty()) {
        return failure(ErrorCode::unavailable, "the chip " + chip + " has none of the metrics",
                       "CUPTI");
    }
    ATOLL_TRY_ASSIGN(metrics.m_host, make_host(profiler, chip));
    ATOLL_TRY(metrics.configure());
    return metrics;
}

std::vector<const char*> CuptiMetrics::pointers() const {
    std::vector<const char*> pointers;
    for (const std::string& name : m_names) {
        pointers.push_back(name.c_str());
    }
    return pointers;
}

Status CuptiMetrics::configure() {
    const CuptiProfiler::Functions& call = m_profiler.call();
    std::vector<const char*> names = pointers();
    cupti::HostAddMetricsParameters add;
    add.host = m_host.get();
    add.names = names.data();
    add.count = names.size();
    ATOLL_TRY(m_profiler.check(call.host_add_metrics(&add), "cuptiProfilerHostConfigAddMetrics"));
    cupti::HostConfigSizeParameters size;
    size.host = m_host.get();
    ATOLL_TRY(
        m_profiler.check(call.host_config_size(&size), "cuptiProfilerHostGetConfigImageSize"));
    if (size.bytes == 0 || size.bytes > k_most_config_bytes) {
        return failure(ErrorCode::unavailable, "its configuration has no sensible size", "CUPTI");
    }
    m_config.resize(size.bytes);
    cupti::HostConfigParameters config;
    config.host = m_host.get();
    config.bytes = m_config.size();
    config.image = m_config.data();
    ATOLL_TRY(m_profiler.check(call.host_config(&config), "cuptiProfilerHostGetConfigImage"));
    cupti::HostPassesParameters passes;
    passes.bytes = m_config.size();
    passes.image = m_config.data();
    ATOLL_TRY(m_profiler.check(call.host_passes(&passes), "cuptiProfilerHostGetNumOfPasses"));
    m_passes = passes.passes;
    return {};
}

Expected<std::vector<double>> CuptiMetrics::evaluate(const std::vector<std::uint8_t>& data,
                                                     std::size_t range) const {
    std::vector<const char*> names = pointers();
    std::vector<double> values(names.size());
    cupti::HostEvaluateParameters parameters;
    parameters.host = m_host.get();
    parameters.data = data.data();
    parameters.data_bytes = data.size();
    parameters.range = range;
    parameters.names = names.data();
    parameters.count = names.size();
    parameters.values = values.data();
    ATOLL_TRY(m_profiler.check(m_profiler.call().host_evaluate(&parameters),
                               "cuptiProfilerHostEvaluateToGpuValues"));
    return values;
}

}  // namespace atl
