#pragma once

#include <atomic>
#include <cstdint>

namespace atl::torture {

/// A page that a test shares with the `atoll` it started (probe.cpp, preloaded into it): what the
/// process knows to be durable, and what the test does to it. Zero-filled at first.
struct ProbePage {
    /// Bytes of the journal that the last fsync to return had covered.
    std::atomic<std::uint64_t> durable_bytes;
    std::atomic<std::uint64_t> syncs;  ///< of the journal
    /// Calls that changed something in the run folder so far: writes, renames, removals...
    std::atomic<std::uint64_t> changes;
    /// The process group dies by SIGKILL just before that change (1: the first); 0: never.
    std::atomic<std::uint64_t> die_at_change;
    /// What is added to the wall clock that the process reads.
    std::atomic<std::int64_t> wall_offset_ns;
};

inline constexpr const char* k_page_variable = "ATOLL_PROBE_PAGE";      ///< the page's file
inline constexpr const char* k_folder_variable = "ATOLL_PROBE_FOLDER";  ///< the run folder

}  // namespace atl::torture
