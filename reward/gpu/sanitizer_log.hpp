#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// One kind of mistake at one place, as compute-sanitizer reports it.
struct SanitizerFinding {
    std::string what;         ///< "Invalid __global__ write of size 4 bytes"
    std::string kernel;       ///< "oob"; empty where it says none
    std::uint32_t line = 0;   ///< of the candidate's source; 0: not known
    std::string more;         ///< "and is 1 bytes after the nearest allocation ...", for the first
    std::size_t reports = 1;  ///< how often; what was over the tool's limit is not counted

    /// "Invalid __global__ write of size 4 bytes in line 8 of oob (3 threads): ..."
    [[nodiscard]] std::string text() const;
};

/// The findings of compute-sanitizer's log, in order, one per kind and place, at most 16. Notes
/// about calls of the driver's interface are none: those are ours. The form was seen of version
/// 2025.3 (CUDA 13.0) with memcheck, racecheck and initcheck on an H200. Linear; any bytes are
/// taken.
[[nodiscard]] std::vector<SanitizerFinding> read_sanitizer_log(std::string_view log);

}  // namespace atl
