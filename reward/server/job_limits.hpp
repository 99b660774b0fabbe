#pragma once

#include <chrono>
#include <cstddef>

namespace atl {

/// How much a server takes upon itself. Sizes in bytes.
struct JobLimits {
    /// In the evaluators at once; more are refused, but for k_spare_share more of those whose
    /// client has no more than k_few_share of it there: many jobs of one client refuse no other's
    /// few.
    std::size_t jobs = 10'000;
    std::size_t bytes = 256u << 20;       ///< of their sources together; likewise
    std::size_t kept_bytes = 64u << 20;   ///< of answers that can be asked for later
    std::size_t ready_bytes = 32u << 20;  ///< of answers to what was asked before
    std::size_t log_bytes = 64u << 20;    ///< of records that wait for the log's disk
    std::chrono::seconds kept_for{600};   ///< how long they can be
    std::chrono::seconds deadline{300};   ///< of jobs that name none; longer behind a long queue
    /// Before jobs that are tried until their deadline are tried again; doubled up to a minute.
    std::chrono::milliseconds first_pause{1000};
};

inline constexpr std::size_t k_spare_share = 8;  ///< an eighth
inline constexpr std::size_t k_few_share = 64;

}  // namespace atl
