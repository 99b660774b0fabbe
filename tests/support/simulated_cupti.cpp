// A CUPTI for the simulated driver: the functions that reward/cuda/cupti_library loads. Records are
// handed out by cuptiActivityFlushAll() alone, few in a buffer, so that many buffers are out. As
// CUPTI's manual says, ids that were pushed come with records of the driver's calls only, so those
// must be enabled. Of a kernel whose name begins with "unseen" there is no record, of one that
// begins with "timeless" one without times, and what begins with "launching" ends at once but is
// complete when all that it launched is. "bent" is the record of a kernel that lies: 40 us.

#include "reward/cuda/cupti_library.hpp"
#include "tests/support/simulated_observer.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace atl::cupti;  // NOLINT: what this file implements

void simulated_profiler_saw(std::string_view kernel);

namespace {

constexpr std::size_t k_records_of_buffer = 32;
constexpr Result k_no_more = 12;  ///< CUPTI_ERROR_MAX_LIMIT_REACHED

std::mutex g_mutex;
std::set<Kind> g_enabled;
std::set<std::string> g_names;  ///< records point to them
std::vector<std::vector<std::uint8_t>> g_records;
std::atomic<std::uint32_t> g_calls = 0;
atl::CuptiLibrary::RequestBuffer g_request = nullptr;
atl::CuptiLibrary::TakeBuffer g_take = nullptr;
thread_local std::vector<std::uint64_t> t_ids;

template <class R>
void keep(const R& record) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&record);
    g_records.emplace_back(bytes, bytes + sizeof(R));
}

std::uint32_t called() {
    const std::uint32_t call = ++g_calls;
    const std::lock_guard lock(g_mutex);
    if (!t_ids.empty() && g_enabled.contains(Kind::driver) &&
        g_enabled.contains(Kind::external_correlation)) {
        keep(ExternalRecord{Kind::external_correlation, k_custom_correlation, t_ids.back(), call,
                            0});
    }
    return call;
}

template <class R>
void keep_times(R record, std::uint32_t call, std::uint64_t start, std::uint64_t end) {
    record.correlation = call;
    record.start = start;
    record.end = end;
    keep(record);
}

void done(int kind, const char* name, std::uint32_t call, std::uint64_t start, std::uint64_t end) {
    const std::lock_guard lock(g_mutex);
    const auto what = static_cast<Kind>(kind);
    if (what == Kind::concurrent_kernel) {
        simulated_profiler_saw(name);
    }
    if (!g_enabled.contains(what) || std::string(name).starts_with("unseen")) {
        return;
    }
    if (std::string(name).starts_with("timeless")) {
        start = 0;
        end = 0;
    }
    if (what == Kind::concurrent_kernel) {
        KernelRecord record{};
        record.kind = what;
        record.completed = end;
        end = std::string(name).starts_with("launching") ? start + 1 : end;
        if (std::string(name).starts_with("bent")) {
            record.completed = start + 40'000;
            end = start + 40'000;
        }
        record.name = g_names.insert(name).first->c_str();
        keep_times(record, call, start, end);
    } else if (what == Kind::memset) {
        MemsetRecord record{};
        record.kind = what;
        keep_times(record, call, start, end);
    } else {
        MemcpyRecord record{};
        record.kind = what;
        keep_times(record, call, start, end);
    }
}

std::size_t size_of(Kind kind) {
    switch (kind) {
        case Kind::concurrent_kernel:
            return sizeof(KernelRecord);
        case Kind::memset:
            return sizeof(MemsetRecord);
        case Kind::memcpy:
            return sizeof(MemcpyRecord);
        case Kind::external_correlation:
            return sizeof(ExternalRecord);
        case Kind::driver:
            break;
    }
    return sizeof(Record);
}

}  // namespace

extern "C" {

Result cuptiGetVersion(std::uint32_t* version) {
    *version = 130001;
    return k_success;
}

Result cuptiGetResultString(Result, const char** text) {
    *text = "a simulated result";
    return k_success;
}

Result cuptiActivityRegisterCallbacks(atl::CuptiLibrary::RequestBuffer request,
                                      atl::CuptiLibrary::TakeBuffer take) {
    static constexpr atl::cuda::simulated::Observer k_observer{called, done};
    g_request = request;
    g_take = take;
    simulatedObserve(&k_observer);
    return k_success;
}

Result cuptiActivityEnable(Kind kind) {
    const std::lock_guard lock(g_mutex);
    g_enabled.insert(kind);
    return k_success;
}

Result cuptiActivityDisable(Kind kind) {
    const std::lock_guard lock(g_mutex);
    g_enabled.erase(kind);
    return k_success;
}

Result cuptiActivityFlushAll(std::uint32_t) {
    std::vector<std::vector<std::uint8_t>> records;
    {
        const std::lock_guard lock(g_mutex);
        records.swap(g_records);
    }
    struct Filled {
        std::uint8_t* buffer = nullptr;
        std::size_t bytes = 0;
        std::size_t used = 0;
    };
    std::vector<Filled> all;
    std::size_t count = 0;
    for (const std::vector<std::uint8_t>& record : records) {
        if (count++ % k_records_of_buffer == 0) {
            Filled& next = all.emplace_back();
            std::size_t most = 0;
            g_request(&next.buffer, &next.bytes, &most);
        }
        std::copy(record.begin(), record.end(), all.back().buffer + all.back().used);
        all.back().used += record.size();
    }
    for (const Filled& filled : all) {
        g_take(nullptr, 0, filled.buffer, filled.bytes, filled.used);
    }
    return k_success;
}

Result cuptiActivityGetNextRecord(std::uint8_t* buffer, std::size_t valid_bytes, Record** record) {
    auto* const now = reinterpret_cast<std::uint8_t*>(*record);
    std::uint8_t* const next = now == nullptr ? buffer : now + size_of((*record)->kind);
    if (next >= buffer + valid_bytes) {
        return k_no_more;
    }
    *record = reinterpret_cast<Record*>(next);
    return k_success;
}

Result cuptiActivityGetNumDroppedRecords(atl::cuda::Context, std::uint32_t, std::size_t* dropped) {
    *dropped = 0;
    return k_success;
}

Result cuptiActivityPushExternalCorrelationId(int, std::uint64_t id) {
    t_ids.push_back(id);
    return k_success;
}

Result cuptiActivityPopExternalCorrelationId(int, std::uint64_t* id) {
    *id = t_ids.back();
    t_ids.pop_back();
    return k_success;
}

}  // extern "C"
