#include "reward/gpu/cupti_clock.hpp"

#include "reward/gpu/cupti_records.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {

namespace {

/// Records of calls to the driver are enabled because ids of ours come with them only.
constexpr cupti::Kind k_kinds[] = {cupti::Kind::concurrent_kernel, cupti::Kind::memset,
                                   cupti::Kind::memcpy, cupti::Kind::driver,
                                   cupti::Kind::external_correlation};
constexpr std::uint32_t k_flush_unfinished = 1;

using OperationsById = std::map<std::uint64_t, std::vector<CuptiOperation>>;

/// All `count` of them, or an error: a time of which a part is missing is none.
Expected<std::vector<CuptiOperation>> operations_of(const OperationsById& by_id, std::uint64_t id,
                                                    std::size_t count) {
    const auto found = by_id.find(id);
    const auto operations = found == by_id.end() ? std::vector<CuptiOperation>() : found->second;
    if (operations.size() != count) {
        return failure(ErrorCode::unavailable,
                       fmt::format("a launch has {} records of {}", operations.size(), count),
                       "CUPTI");
    }
    for (const CuptiOperation& operation : operations) {
        if (operation.start == 0 || operation.end < operation.start) {
            return failure(ErrorCode::unavailable, "a record of a launch has no times", "CUPTI");
        }
    }
    return operations;
}

/// From the first start to the last end, ns.
double span_of(const std::vector<CuptiOperation>& operations) {
    std::uint64_t end = 0;
    for (const CuptiOperation& operation : operations) {
        end = std::max(end, operation.end);
    }
    return operations.empty() ? 0 : static_cast<double>(end - operations.front().start);
}

}  // namespace

Expected<CuptiClock> CuptiClock::open(const std::string& path) {
    ATOLL_TRY_ASSIGN(const CuptiLibrary library, CuptiLibrary::open(path));
    ATOLL_TRY(CuptiRecords::collect(library));
    CuptiClock clock(library);
    ATOLL_TRY(clock.resume());
    return clock;
}

Status CuptiClock::resume() {
    for (const cupti::Kind kind : k_kinds) {
        if (!m_running) {
            ATOLL_TRY(m_library.check(m_library.call().enable(kind), "cuptiActivityEnable"));
        }
    }
    m_running = true;
    return {};
}

Status CuptiClock::pause() {
    for (const cupti::Kind kind : k_kinds) {
        if (m_running) {
            ATOLL_TRY(m_library.check(m_library.call().disable(kind), "cuptiActivityDisable"));
        }
    }
    m_running = false;
    return {};
}

void CuptiClock::forget() {
    CuptiRecords::of_process().clear();
}

Status CuptiClock::begin(std::size_t launches, std::size_t operations, cuda::Stream) {
    ATOLL_TRY(resume());
    // What CUPTI still has of before comes with finish(), and has none of the ids of this call.
    CuptiRecords::of_process().clear();
    std::size_t of_before = 0;  // asking sets CUPTI's count to zero
    ATOLL_TRY(m_library.check(m_library.call().get_dropped_records(nullptr, 0, &of_before),
                              "cuptiActivityGetNumDroppedRecords"));
    m_launches = launches;
    m_operations = operations;
    m_first_id = m_next_id;
    m_next_id += 2 * launches;
    return {};
}

Status CuptiClock::mark(std::size_t launch, Mark what, cuda::Stream) {
    const std::uint64_t id = m_first_id + 2 * launch;
    const auto push = [this](std::uint64_t current) {
        return m_library.check(m_library.call().push_external(cupti::k_custom_correlation, current),
                               "cuptiActivityPushExternalCorrelationId");
    };
    switch (what) {
        case Mark::anchor:
            return push(id);
        case Mark::plan:
            return push(id + 1);
        case Mark::anchor_end:
        case Mark::plan_end:
            break;
    }
    std::uint64_t last = 0;
    return m_library.check(m_library.call().pop_external(cupti::k_custom_correlation, &last),
                           "cuptiActivityPopExternalCorrelationId");
}

Status CuptiClock::check_dropped() const {
    std::size_t dropped = 0;
    ATOLL_TRY(m_library.check(m_library.call().get_dropped_records(nullptr, 0, &dropped),
                              "cuptiActivityGetNumDroppedRecords"));
    if (dropped > 0) {
        return failure(ErrorCode::unavailable, fmt::format("{} records were dropped", dropped),
                       "CUPTI");
    }
    return {};
}

Expected<std::vector<GpuSample>> CuptiClock::finish() {
    ATOLL_TRY(
        m_library.check(m_library.call().flush_all(k_flush_unfinished), "cuptiActivityFlushAll"));
    ATOLL_TRY(check_dropped());
    const auto by_id = CuptiRecords::of_process().by_id();
    std::vector<GpuSample> samples;
    for (std::size_t i = 0; i < m_launches; ++i) {
        ATOLL_TRY_ASSIGN(const std::vector<CuptiOperation> anchor,
                         operations_of(by_id, m_first_id + 2 * i, 1));
        ATOLL_TRY_ASSIGN(const std::vector<CuptiOperation> plan,
                         operations_of(by_id, m_first_id + 2 * i + 1, m_operations));
        GpuSample& sample = samples.emplace_back();
        sample.anchor_ns = span_of(anchor);
        sample.span_ns = span_of(plan);
        for (std::size_t k = 0; i == 0 && k < plan.size(); ++k) {
            sample.kernels.push_back(
                {plan[k].name, static_cast<double>(plan[k].end - plan[k].start)});
        }
    }
    return samples;
}

}  // namespace atl
