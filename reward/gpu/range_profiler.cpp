#include "reward/gpu/range_profiler.hpp"

#include "reward/gpu/profile_metrics.hpp"

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

constexpr std::size_t k_most_data_bytes = 1u << 30;
constexpr double k_most_value = 1e18;

Expected<std::string> chip_of(const CuptiProfiler& profiler, int ordinal) {
    cupti::ChipNameParameters parameters;
    parameters.device = static_cast<std::size_t>(ordinal);
    ATOLL_TRY(profiler.check(profiler.call().chip_name(&parameters), "cuptiDeviceGetChipName"));
    if (parameters.name == nullptr) {
        return failure(ErrorCode::unavailable, "it does not know the chip", "CUPTI");
    }
    return std::string(parameters.name);
}

}  // namespace

Expected<RangeProfiler> RangeProfiler::open(const std::string& cupti, const Gpu& gpu) {
    ATOLL_TRY_ASSIGN(const CuptiProfiler profiler, CuptiProfiler::open(cupti));
    cupti::InitializeParameters parameters;
    ATOLL_TRY(profiler.check(profiler.call().initialize(&parameters), "cuptiProfilerInitialize"));
    ATOLL_TRY_ASSIGN(const std::string chip, chip_of(profiler, gpu.ordinal()));
    ATOLL_TRY_ASSIGN(CuptiMetrics metrics, CuptiMetrics::make(profiler, chip, metric::all()));
    return RangeProfiler(gpu, profiler, std::move(metrics));
}

void RangeProfiler::Disable::operator()(cupti::RangeProfiler* ranges) const {
    cupti::ProfilerParameters parameters;
    parameters.profiler = ranges;
    disable(&parameters);
}

Status RangeProfiler::begin(std::size_t, std::size_t operations, cuda::Stream) {
    return enable(std::clamp<std::size_t>(operations, 1, k_most_counted_launches));
}

Status RangeProfiler::enable(std::size_t ranges) {
    const CuptiProfiler::Functions& call = m_profiler.call();
    cupti::EnableParameters on;
    on.context = m_gpu->context();
    ATOLL_TRY(m_profiler.check(call.enable(&on), "cuptiRangeProfilerEnable"));
    m_ranges = {on.profiler, {call.disable}};
    std::vector<const char*> names = m_metrics.pointers();
    cupti::DataSizeParameters size;
    size.profiler = m_ranges.get();
    size.names = names.data();
    size.count = names.size();
    size.most_ranges = ranges;
    size.most_nodes = static_cast<std::uint32_t>(ranges);
    ATOLL_TRY(m_profiler.check(call.data_size(&size), "cuptiRangeProfilerGetCounterDataSize"));
    if (size.bytes == 0 || size.bytes > k_most_data_bytes) {
        return failure(ErrorCode::unavailable, "its counters have no sensible size", "CUPTI");
    }
    m_data.resize(size.bytes);
    cupti::DataInitializeParameters data;
    data.profiler = m_ranges.get();
    data.bytes = m_data.size();
    data.data = m_data.data();
    ATOLL_TRY(m_profiler.check(call.data_initialize(&data),
                               "cuptiRangeProfilerCounterDataImageInitialize"));
    cupti::SetConfigParameters config;
    config.profiler = m_ranges.get();
    config.config_bytes = m_metrics.config().size();
    config.config = m_metrics.config().data();
    config.data_bytes = m_data.size();
    config.data = m_data.data();
    config.ranges_per_pass = ranges;
    return m_profiler.check(call.set_config(&config), "cuptiRangeProfilerSetConfig");
}

/// Only the plan is counted: what is queued before it must be done when the counters start.
Status RangeProfiler::mark(std::size_t, Mark what, cuda::Stream stream) {
    if (what != Mark::plan) {
        return {};
    }
    ATOLL_TRY(
        m_gpu->driver().check(m_gpu->call().stream_synchronize(stream), "cuStreamSynchronize"));
    cupti::ProfilerParameters start;
    start.profiler = m_ranges.get();
    return m_profiler.check(m_profiler.call().start(&start), "cuptiRangeProfilerStart");
}

Expected<std::vector<GpuSample>> RangeProfiler::finish() {
    const CuptiProfiler::Functions& call = m_profiler.call();
    cupti::StopParameters stop;
    stop.profiler = m_ranges.get();
    ATOLL_TRY(m_profiler.check(call.stop(&stop), "cuptiRangeProfilerStop"));
    cupti::DecodeParameters decode;
    decode.profiler = m_ranges.get();
    ATOLL_TRY(m_profiler.check(call.decode(&decode), "cuptiRangeProfilerDecodeData"));
    ATOLL_TRY(read_ranges());
    return std::vector<GpuSample>{{}};
}

Status RangeProfiler::read_ranges() {
    cupti::DataInfoParameters info;
    info.data = m_data.data();
    info.bytes = m_data.size();
    ATOLL_TRY(m_profiler.check(m_profiler.call().data_info(&info),
                               "cuptiRangeProfilerGetCounterDataInfo"));
    m_counted.clear();
    for (std::size_t i = 0; i < std::min(info.ranges, k_most_counted_launches); ++i) {
        ATOLL_TRY_ASSIGN(const std::vector<double> values, m_metrics.evaluate(m_data, i));
        std::map<std::string, double>& metrics = m_counted.emplace_back();
        for (std::size_t k = 0; k < values.size(); ++k) {
            if (std::isfinite(values[k]) && values[k] >= 0 && values[k] <= k_most_value) {
                metrics[m_metrics.names()[k]] = values[k];
            }
        }
    }
    return {};
}

}  // namespace atl
