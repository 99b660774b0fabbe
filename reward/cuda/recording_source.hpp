#pragma once

#include "reward/cuda/device_limits.hpp"
#include "reward/cuda/source_split.hpp"
#include "reward/task.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// Which host function of a source is called: a candidate's launch(), or reference() of a task's
/// reference.cu, whose outputs are all double.
enum class CudaEntry { launch, reference };

/// The argument rule of CUDA candidates: that of CPU candidates (reward/launch_contract.hpp) and a
/// stream. Tensors lie in device memory. E.g. for softmax:
/// `void launch(const float* x, float* y, int rows, int cols, cudaStream_t stream)`.
[[nodiscard]] std::string cuda_launch_prototype(const Task& task,
                                                CudaEntry entry = CudaEntry::launch);

/// A program for clang in parts, since the first two are the same for most candidates and are kept
/// precompiled (see CompileRequest).
struct RecordingSource {
    std::string prelude;  ///< the interface of the recording runtime, and headers of the host
    std::string runtime;  ///< its definitions
    std::string text;     ///< the host half and the entry point
    /// A prelude without headers that nobody asked for, should those be in the way; may be empty.
    std::string narrow_prelude;
    bool operator==(const RecordingSource&) const = default;
};

/// The recording runtime, the host half and an entry point (reward/workers/run_child.hpp calls it)
/// that hands launch(), or reference(), addresses without memory. Messages of a compiler name
/// candidate.cu and the candidate's own lines. Tensors of the entry point: the record, facts of
/// kernels; numbers: those of recording_numbers(). `tune`: macro values of the candidate, which the
/// caller has checked.
[[nodiscard]] RecordingSource recording_source(const Task& task, const SplitSource& split,
                                               const std::map<std::string, std::string>& tune = {},
                                               CudaEntry entry = CudaEntry::launch);

/// Flags for clang, 14 or newer.
[[nodiscard]] const std::vector<std::string>& recording_flags();

/// All of it as one text for a compiler that knows nothing of CUDA (see plain_launches.hpp), with
/// `prelude` in place of its own; and flags for g++, 12 or newer.
[[nodiscard]] std::string plain_text(const RecordingSource& source, const std::string& prelude);
[[nodiscard]] const std::vector<std::string>& plain_recording_flags();

/// What the runtime answers queries with and where it writes, in the order that the shim has them:
/// k_recording_numbers numbers, then the tensors' addresses, then the variable axes.
inline constexpr std::size_t k_recording_numbers = 28;
[[nodiscard]] std::vector<std::int64_t> recording_numbers(const DeviceLimits& device, bool second);

/// Kernels' facts as the runtime reads them; what does not fit into `most_bytes` is left out.
[[nodiscard]] std::vector<std::uint64_t> recording_facts(std::span<const KernelFacts> kernels,
                                                         std::size_t most_bytes);

}  // namespace atl
