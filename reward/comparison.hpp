#pragma once

#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace atl {

/// Result of comparing one output buffer with its expectation.
struct Comparison {
    bool passed = false;
    bool non_finite = false;  ///< NaN or infinity where a finite value was expected
    double max_abs_error = 0;
    double max_rel_error = 0;  ///< of abs(got - want) / abs(want), where want is not 0
    double matched_ratio = 1;
    std::int64_t first_bad_index = -1;
    double got = 0;  ///< at first_bad_index
    double want = 0;
};

/// The same tolerance with atol_rms resolved for `want`: for an expectation that is compared with
/// often, since it takes a pass over all of it.
[[nodiscard]] Tolerance resolved(const Tolerance& tolerance, std::span<const double> want);

/// Compares `out` (dense, of `dtype`) with `want` in double under the rule in Tolerance. Where the
/// expectation itself is NaN or infinite the output must be the same NaN-ness or infinity. A value
/// that is not finite where a finite one was expected fails the output whatever matched_ratio
/// allows. Errors that are not finite are reported as infinity. Pure.
[[nodiscard]] Comparison compare_output(DType dtype, std::span<const std::byte> out,
                                        std::span<const double> want, const Tolerance& tolerance);

}  // namespace atl
