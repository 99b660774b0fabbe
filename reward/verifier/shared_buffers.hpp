#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// Memory of a memfd, sealed against resizing and mapped here. Not copyable; movable.
class SharedMemory {
  public:
    [[nodiscard]] static Expected<SharedMemory> create(const char* name, std::uint64_t bytes);
    ~SharedMemory();
    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&& other) noexcept;

    [[nodiscard]] std::span<std::byte> bytes() const { return {m_data, m_size}; }
    [[nodiscard]] const FileHandle& file() const { return m_file; }

  private:
    SharedMemory(FileHandle file, std::byte* data, std::uint64_t size)
        : m_file(std::move(file)), m_data(data), m_size(size) {}

    FileHandle m_file;
    std::byte* m_data = nullptr;
    std::uint64_t m_size = 0;
};

/// Which end of its mapping a tensor touches: the runner maps each buffer between unmapped pages,
/// so that end is exact (flush to the end: up to the 64-byte alignment).
enum class Placement { start, end };

/// The input and output buffers that a verifier shares with one candidate process: one mapping per
/// tensor and slot, large enough for every workload. Slots rotate so that pointers differ between
/// launches. Bytes of a mapping outside the tensor are slack; the slack next to the tensor (at most
/// k_canary_bytes on each side) holds canaries. Not thread-safe.
class SharedBuffers {
  public:
    static constexpr std::uint64_t k_canary_bytes = 4096;
    static constexpr std::byte k_canary{0xA5};

    /// `tensor_bytes`: the largest size of each tensor (inputs, then outputs) over all workloads.
    [[nodiscard]] static Expected<SharedBuffers> create(
        const std::vector<std::uint64_t>& tensor_bytes, int slots);

    [[nodiscard]] int slots() const { return m_slots; }
    [[nodiscard]] std::size_t tensors() const { return m_tensors; }
    /// The memory of tensor `tensor` in `slot`; mappings are numbered the same way in start_run.
    [[nodiscard]] const SharedMemory& memory(int slot, std::size_t tensor) const {
        return m_memory[mapping_index(slot, tensor)];
    }
    [[nodiscard]] std::size_t mapping_index(int slot, std::size_t tensor) const {
        return static_cast<std::size_t>(slot) * m_tensors + tensor;
    }
    [[nodiscard]] std::uint64_t offset(int slot, std::size_t tensor, std::uint64_t bytes,
                                       Placement placement) const;
    [[nodiscard]] std::span<std::byte> place(int slot, std::size_t tensor, std::uint64_t bytes,
                                             Placement placement) const;

    /// Overwrites everything, so that nothing that one candidate left reaches the next.
    void scrub();
    void arm_canaries(int slot, std::size_t tensor, std::uint64_t bytes, Placement placement,
                      std::byte canary) const;
    [[nodiscard]] bool canaries_intact(int slot, std::size_t tensor, std::uint64_t bytes,
                                       Placement placement, std::byte canary) const;

  private:
    SharedBuffers(std::vector<SharedMemory> memory, std::size_t tensors, int slots)
        : m_memory(std::move(memory)), m_tensors(tensors), m_slots(slots) {}

    struct Slack {
        std::span<std::byte> before;
        std::span<std::byte> after;
    };
    [[nodiscard]] Slack slack(int slot, std::size_t tensor, std::uint64_t bytes,
                              Placement placement) const;

    std::vector<SharedMemory> m_memory;
    std::size_t m_tensors;
    int m_slots;
};

/// no_space when `needed` bytes are more than nine tenths of the memory that is free: running out
/// while pages are touched would end the process instead of a call. `what` needs them ("the
/// buffers").
[[nodiscard]] Status check_memory(std::uint64_t needed, const std::string& what);

/// The byte that outputs are filled with before every launch: all ones (a NaN of every width that
/// no arithmetic produces) for floats, 0xA5 for integers.
[[nodiscard]] std::byte poison_of(DType dtype);
/// True when element `index` still holds the poison of a float output: it was never written.
[[nodiscard]] bool is_poison(DType dtype, std::span<const std::byte> values, std::int64_t index);

}  // namespace atl
