#pragma once

#include "reward/base/error.hpp"
#include "reward/comparison.hpp"
#include "reward/cuda/gpu.hpp"
#include "reward/cuda/gpu_memory.hpp"
#include "reward/task.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Our own CUDA C++ (reward/gpu/kernels/), for NVRTC: inputs, comparison, checksums, cache flush,
/// anchor. Compiled by the supervisor for the device's architecture and handed to verifier and
/// runner as a cubin. Kernels' names begin with "atoll_".
[[nodiscard]] std::string support_kernel_source();
/// Options that source needs: no contraction, so that values are the same bits as fill_input()'s.
[[nodiscard]] std::vector<std::string> support_kernel_flags();

/// Those kernels on one device. All functions queue on `stream` and wait for nothing, unless they
/// say so; an error is a fault of ours. Used on the thread of its Gpu, which must outlive it, and
/// with one stream at a time. Elements lie at multiples of their size. Movable.
///
/// A slot holds the result of one question from then until results() returns it.
class SupportKernels {
  public:
    [[nodiscard]] static Expected<SupportKernels> load(const Gpu& gpu, std::string_view cubin);

    /// The same bytes as fill_input() makes for elements [0, count). `generator` is resolved
    /// (resolve_generator()). invalid_argument for parts of sparse matrices.
    [[nodiscard]] Status fill(const InputGenerator& generator, DType dtype, std::uint64_t seed,
                              std::uint32_t stream_number, std::int64_t count, cuda::Address to,
                              cuda::Stream stream) const;

    /// Fills `bytes` bytes with `value`, by a kernel, so that no record of a clock takes it for a
    /// candidate's memset.
    [[nodiscard]] Status fill_bytes(cuda::Address to, std::uint8_t value, std::uint64_t bytes,
                                    cuda::Stream stream) const;

    struct Filling {
        cuda::Address to = 0;
        std::uint8_t value = 0;
        std::uint64_t bytes = 0;
    };
    /// The same for several places at once. With `flush` so much is written besides, behind them,
    /// that all together is twice the L2 cache, and what is written besides once: nothing from
    /// before is left in it (times after that are those after writing twice the cache besides,
    /// 33.4 us of a softmax of 64 MiB, seen on an H200).
    [[nodiscard]] Status fill_all_bytes(std::span<const Filling> fillings, bool flush,
                                        cuda::Stream stream) const;

    // The following are collected, and queued by run_asked() or results(), many in one launch: most
    // are so small that a launch each takes longer.

    /// A 64-bit checksum of `bytes` bytes at `from` (any alignment) into result `slot`, that every
    /// changed byte changes with high probability; for equality within one process only.
    [[nodiscard]] Status checksum(cuda::Address from, std::uint64_t bytes, std::size_t slot);
    /// How many of `bytes` bytes are not `value`, into result `slot`.
    [[nodiscard]] Status count_other_bytes(cuda::Address from, std::uint8_t value,
                                           std::uint64_t bytes, std::size_t slot);
    /// compare_output() of `count` elements of `dtype` at `out` with the doubles at `want`, into
    /// result `slot`. `tolerance` is resolved (atol_rms = 0; else invalid_argument). Counts the
    /// elements of floats that still hold poison_of(dtype), too (reward/verifier/
    /// shared_buffers.hpp). max_rel_error is the largest quotient; compare_output() may be off by
    /// its last bit.
    [[nodiscard]] Status compare(DType dtype, cuda::Address out, cuda::Address want,
                                 std::int64_t count, const Tolerance& tolerance, std::size_t slot);
    /// Sum of squares of `count` doubles (those that are finite, whose count is the number) into
    /// result `slot`; the same bits on every device.
    [[nodiscard]] Status sum_squares(cuda::Address values, std::int64_t count, std::size_t slot);
    /// Queues what was collected.
    [[nodiscard]] Status run_asked(cuda::Stream stream);

    struct Result {
        std::uint64_t number = 0;     ///< checksum, count of bytes or of finite values
        double sum = 0;               ///< sum_squares
        Comparison comparison = {};   ///< compare
        std::uint64_t unwritten = 0;  ///< compare: float elements that still are poison
    };
    /// Queues what was collected, waits for the stream and copies the results of slots [0, count).
    /// count <= k_result_slots.
    [[nodiscard]] Expected<std::vector<Result>> results(std::size_t count, cuda::Stream stream);
    static constexpr std::size_t k_result_slots = 1024;

    /// Writes a buffer of twice the L2 cache, so that nothing of a candidate's is left in it. The
    /// first call allocates it.
    [[nodiscard]] Status flush_l2(cuda::Stream stream) const;
    /// One warp that takes a fixed number of cycles, about 15,000 (some 10 us): its time tells the
    /// clock.
    [[nodiscard]] Status anchor(cuda::Stream stream) const;

  private:
    struct State;
    explicit SupportKernels(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;

  public:
    SupportKernels(SupportKernels&&) noexcept;
    SupportKernels& operator=(SupportKernels&&) noexcept;
    ~SupportKernels();
};

}  // namespace atl
