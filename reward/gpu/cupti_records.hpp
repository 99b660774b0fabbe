#pragma once

#include "reward/cuda/cupti_library.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace atl {

/// One thing that the device did.
struct CuptiOperation {
    std::string name;         ///< of the kernel; "memset", "memcpy"
    std::uint64_t start = 0;  ///< ns; 0: CUPTI could take no time
    std::uint64_t end = 0;
};

/// What CUPTI hands out, collected from its own thread. There is one in a process, because CUPTI's
/// callbacks have no argument to tell another. Thread-safe.
class CuptiRecords {
  public:
    /// Registers the callbacks. REQUIRES that `library` stays.
    [[nodiscard]] static Status collect(const CuptiLibrary& library);
    [[nodiscard]] static CuptiRecords& of_process();

    void clear();
    /// By external id: what was queued while it was current, in order of start. Others are left
    /// out.
    [[nodiscard]] std::map<std::uint64_t, std::vector<CuptiOperation>> by_id() const;

  private:
    static void request(std::uint8_t** buffer, std::size_t* bytes, std::size_t* max_records);
    static void take(cuda::Context context, std::uint32_t stream, std::uint8_t* buffer,
                     std::size_t bytes, std::size_t valid_bytes);
    void add(const cupti::Record& record);
    void add(std::string name, std::uint64_t start, std::uint64_t end, std::uint32_t correlation);

    mutable std::mutex m_mutex;
    CuptiLibrary::Functions m_functions;
    std::multimap<std::uint32_t, CuptiOperation> m_operations;  ///< by correlation id
    std::map<std::uint32_t, std::uint64_t> m_external;          ///< correlation id -> our id
    /// Of its own: CUPTI may ask for a buffer while it answers get_next_record().
    std::mutex m_unused_mutex;
    std::vector<std::uint8_t*> m_unused;  ///< buffers that CUPTI gave back
};

}  // namespace atl
