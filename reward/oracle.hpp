#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/task.hpp"
#include "reward/verdict.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// Input tensors of one launch, in definition order, dense bytes of the declared dtype; scalar
/// inputs are empty here and stand in `scalars` (one entry per input, used for scalars only).
struct InputSet {
    std::vector<std::vector<std::byte>> tensors;
    std::vector<double> scalars;
};

/// Expected outputs in double, row-major, one vector per output.
using ExpectedOutputs = std::vector<std::vector<double>>;

/// The task's trusted reference, compiled and loaded into this process. Never load it into a
/// process that runs candidates. Not thread-safe.
class Oracle {
  public:
    virtual ~Oracle() = default;
    [[nodiscard]] virtual Expected<ExpectedOutputs> run(
        const std::map<std::string, std::int64_t>& bound_axes, const InputSet& inputs) const = 0;
};

[[nodiscard]] Expected<std::unique_ptr<Oracle>> load_oracle(TaskPtr task, const FileHandle& binary);

/// Result of comparing one output buffer with its expectation.
struct Comparison {
    bool passed = false;
    bool non_finite = false;  ///< NaN or infinity where a finite value was expected
    double max_abs_error = 0;
    double max_rel_error = 0;
    double matched_ratio = 1;
    std::int64_t first_bad_index = -1;
    double got = 0;  ///< at first_bad_index
    double want = 0;
};

/// Compares `out` (dense, of `dtype`) with `want` in double under the rule in Tolerance. Where the
/// expectation itself is NaN or infinite the output must be the same NaN-ness or infinity.
[[nodiscard]] Comparison compare_output(DType dtype, std::span<const std::byte> out,
                                        std::span<const double> want, const Tolerance& tolerance);

}  // namespace atl
