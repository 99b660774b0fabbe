#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/front_end.hpp"
#include "reward/cuda/toolkit_places.hpp"
#include "reward/outcome.hpp"

#include <optional>
#include <string>
#include <vector>

namespace atl {

struct SanitizerOptions {
    std::string program;             ///< compute-sanitizer
    std::vector<std::string> tools;  ///< of sanitizer_tools()
    std::string driver;              ///< path of libcuda
    int gpu = 0;
    double timeout_s = 300;      ///< of one tool
    std::string worker_program;  ///< empty: atoll-worker beside this program
};

/// What compute-sanitizer found in a candidate, or that it found nothing.
struct SanitizerReport {
    /// memory_fault for what memcheck finds, inconsistent for races and for reads of memory that
    /// was not written; timeout.
    std::optional<Outcome> fault;
    std::string reason;              ///< the first finding, as one sentence
    std::vector<std::string> lines;  ///< all of them
};

/// "memcheck", "racecheck", "initcheck".
[[nodiscard]] const std::vector<std::string>& sanitizer_tools();

/// compute-sanitizer of the toolkits in `places`, else of $PATH. not_found with what to install.
[[nodiscard]] Expected<std::string> find_compute_sanitizer(
    const CudaPlaces& places = usual_cuda_places());

/// Plays the plans of `prepared` for public workloads (the small ones that verify, where there are
/// any; at most eight) under each tool, with inputs of the task's first distribution, in a process
/// that has no host code of the candidate's. Everything that was started ends with this call. An
/// error is a fault of ours, or of compute-sanitizer. Blocks for minutes.
[[nodiscard]] Expected<SanitizerReport> sanitize(const Task& task, const FrontEndReply& prepared,
                                                 const SanitizerOptions& options);

}  // namespace atl
