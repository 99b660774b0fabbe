#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/plan.hpp"
#include "reward/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// What the recording runtime (reward/cuda/shim) wrote down while a host launcher ran, and the plan
/// that two such records make. A record is written by a candidate's process: hostile bytes.

/// What a launcher did wrong, for a person or a prompt.
struct RecordFault {
    Outcome outcome = Outcome::rejected;
    std::uint32_t line = 0;  ///< of the candidate's source; 0: not known
    std::string reason;
};

/// Addresses that stand in for device memory while a launcher runs. Nothing is mapped there.
/// Buffers have slots of 64 GiB: tensors from 0, scratch from 256, symbols from 512. The second
/// recording has them in another order, and as little aligned as tensors (64 bytes) and
/// allocations (256 bytes) may be.
class RecordAddresses {
  public:
    static constexpr std::uint64_t k_slot_bytes = 1ull << 36;
    static constexpr std::uint32_t k_slots = 1024;
    static constexpr std::uint64_t k_start = 1ull << 32;  ///< room for pointers before a buffer
    static constexpr std::uint32_t k_first_scratch = 256;
    static constexpr std::uint32_t k_first_symbol = 512;

    explicit RecordAddresses(bool second)
        : base(1ull << 44),
          shuffled(second),
          tensor_shift(second ? 64 : 0),
          other_shift(second ? 256 : 0) {}

    [[nodiscard]] std::uint64_t address_of(std::uint32_t slot) const;
    struct Place {
        std::uint32_t slot = 0;
        std::int64_t offset = 0;  ///< bytes
        bool operator==(const Place&) const = default;
    };
    /// Nothing for a number that is no such address.
    [[nodiscard]] std::optional<Place> find(std::uint64_t address) const;

    std::uint64_t base;
    bool shuffled;
    std::uint64_t tensor_shift;
    std::uint64_t other_shift;
};

/// One entry of a record, not yet understood as places in buffers.
struct RecordStep {
    enum class Kind : std::uint32_t {
        launch = 1,   ///< numbers: grid, block, cluster, flags, shared; blobs: arguments
        memset = 2,   ///< addresses: to; numbers: value, bytes
        copy = 3,     ///< addresses: to, from; numbers: bytes
        write = 4,    ///< addresses: to; blobs: data
        scratch = 5,  ///< numbers: bytes
        symbol = 6,   ///< numbers: bytes; its name
        setting = 7,  ///< numbers: which attribute, value; its kernel's name
        /// addresses: of the tensor; numbers: data type, rank, interleave, swizzle, promotion,
        /// fill, then five each of extents, strides, box, element strides
        tensor_map = 8,
    };
    Kind kind = Kind::launch;
    std::uint32_t line = 0;
    std::string name;
    std::vector<std::uint64_t> numbers;
    std::vector<std::uint64_t> addresses;
    std::vector<std::vector<std::uint8_t>> blobs;
};

struct Record {
    enum class Status { unfinished = 0, finished = 1, refused = 2 };
    Status status = Status::unfinished;
    std::uint32_t refused_line = 0;
    std::uint32_t last_line = 0;  ///< of the last call of the runtime
    std::string reason;           ///< of a refusal; printable
    std::vector<RecordStep> steps;
};

inline constexpr std::uint64_t k_record_magic = 0x31647263'6C6F7461;  ///< "atolcrd1"
/// What the runtime writes where a tensor map is to be: two words and the map's number.
inline constexpr std::uint64_t k_record_map_mark = 0x70616d'6c6c6f7461;  ///< "atollmap"
inline constexpr std::size_t k_record_header_bytes = 512;
inline constexpr std::size_t k_record_bytes = 2u << 20;
/// Steps, allocations, symbols and settings together.
inline constexpr std::size_t k_max_record_entries = 8192;

/// Corrupt when the bytes are not what the runtime writes: that is the candidate's doing.
[[nodiscard]] Expected<Record> parse_record(std::span<const std::byte> bytes);

/// The sizes of a workload's tensors, bytes.
struct RecordTensors {
    std::vector<std::uint64_t> inputs;
    std::vector<std::uint64_t> outputs;
};

struct PlanOrFault {
    std::optional<RecordFault> fault;
    Plan plan;
};

/// Two records of the same launch, with first and second addresses, as one plan. What differs
/// between them hangs on addresses, on time or on chance, and is refused.
[[nodiscard]] PlanOrFault plan_of_records(const Record& first, const Record& second,
                                          const RecordTensors& tensors);

}  // namespace atl
