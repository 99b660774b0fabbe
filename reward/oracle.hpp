#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/comparison.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
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

/// One call of a reference may take this long, seconds of processor time: a busy or stopped machine
/// is no fault of the reference.
inline constexpr int k_most_oracle_seconds = 60;

/// The task's trusted reference, compiled and loaded into this process. Never load it into a
/// process that runs candidates. Not thread-safe.
class Oracle {
  public:
    virtual ~Oracle() = default;
    [[nodiscard]] virtual Expected<ExpectedOutputs> run(
        const std::map<std::string, std::int64_t>& bound_axes, const InputSet& inputs) const = 0;
};

[[nodiscard]] Expected<std::unique_ptr<Oracle>> load_oracle(TaskPtr task, const FileHandle& binary);

}  // namespace atl
