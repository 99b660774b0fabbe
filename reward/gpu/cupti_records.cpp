#include "reward/gpu/cupti_records.hpp"

#include <algorithm>
#include <cstdlib>

namespace atl {

namespace {

/// What CUPTI's manual advises (1 to 10 MB); one holds some ten thousand records.
constexpr std::size_t k_buffer_bytes = 4u << 20;
/// CUPTI asks for one or two for each call of launches; new ones cost page faults.
constexpr std::size_t k_most_unused = 4;
/// A call has at most k_max_gpu_timed launches; what plays leave behind is cleared by then.
constexpr std::size_t k_most_kept = 4u << 20;

}  // namespace

CuptiRecords& CuptiRecords::of_process() {
    // Never destroyed: CUPTI's thread may still hand out buffers while the process exits.
    static auto* const records = new CuptiRecords;
    return *records;
}

Status CuptiRecords::collect(const CuptiLibrary& library) {
    {
        CuptiRecords& records = of_process();
        const std::lock_guard lock(records.m_mutex);
        records.m_functions = library.call();
    }
    return library.check(library.call().register_callbacks(request, take),
                         "cuptiActivityRegisterCallbacks");
}

void CuptiRecords::request(std::uint8_t** buffer, std::size_t* bytes, std::size_t* max_records) {
    CuptiRecords& records = of_process();
    const std::lock_guard lock(records.m_unused_mutex);
    if (records.m_unused.empty()) {
        *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(8, k_buffer_bytes));
    } else {
        *buffer = records.m_unused.back();
        records.m_unused.pop_back();
    }
    *bytes = *buffer == nullptr ? 0 : k_buffer_bytes;
    *max_records = 0;
}

void CuptiRecords::take(cuda::Context, std::uint32_t, std::uint8_t* buffer, std::size_t,
                        std::size_t valid_bytes) {
    CuptiRecords& records = of_process();
    {
        const std::lock_guard lock(records.m_mutex);
        cupti::Record* record = nullptr;
        while (valid_bytes > 0 && records.m_functions.get_next_record(
                                      buffer, valid_bytes, &record) == cupti::k_success) {
            records.add(*record);
        }
    }
    const std::lock_guard lock(records.m_unused_mutex);
    if (records.m_unused.size() < k_most_unused) {
        records.m_unused.push_back(buffer);
    } else {
        std::free(buffer);
    }
}

void CuptiRecords::add(const cupti::Record& record) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&record);
    switch (record.kind) {
        case cupti::Kind::concurrent_kernel: {
            const auto* kernel = reinterpret_cast<const cupti::KernelRecord*>(bytes);
            // Kernels that it launched itself end later than it does.
            return add(kernel->name == nullptr ? "" : kernel->name, kernel->start,
                       std::max(kernel->end, kernel->completed), kernel->correlation);
        }
        case cupti::Kind::memcpy: {
            const auto* copy = reinterpret_cast<const cupti::MemcpyRecord*>(bytes);
            return add("memcpy", copy->start, copy->end, copy->correlation);
        }
        case cupti::Kind::memset: {
            const auto* set = reinterpret_cast<const cupti::MemsetRecord*>(bytes);
            return add("memset", set->start, set->end, set->correlation);
        }
        case cupti::Kind::external_correlation: {
            const auto* external = reinterpret_cast<const cupti::ExternalRecord*>(bytes);
            if (external->external_kind == cupti::k_custom_correlation &&
                m_external.size() < k_most_kept) {
                m_external[external->correlation] = external->external;
            }
            return;
        }
        case cupti::Kind::driver:
            return;
    }
}

void CuptiRecords::add(std::string name, std::uint64_t start, std::uint64_t end,
                       std::uint32_t correlation) {
    if (m_operations.size() < k_most_kept) {
        m_operations.emplace(correlation, CuptiOperation{std::move(name), start, end});
    }
}

void CuptiRecords::clear() {
    const std::lock_guard lock(m_mutex);
    m_operations.clear();
    m_external.clear();
}

std::map<std::uint64_t, std::vector<CuptiOperation>> CuptiRecords::by_id() const {
    const std::lock_guard lock(m_mutex);
    std::map<std::uint64_t, std::vector<CuptiOperation>> found;
    for (const auto& [correlation, operation] : m_operations) {
        if (const auto external = m_external.find(correlation); external != m_external.end()) {
            found[external->second].push_back(operation);
        }
    }
    for (auto& [id, operations] : found) {
        std::stable_sort(operations.begin(), operations.end(),
                         [](const auto& a, const auto& b) { return a.start < b.start; });
    }
    return found;
}

}  // namespace atl
