#include "reward/cuda/plan_check_memory.hpp"

#include "reward/cuda/cubin_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace atl {

namespace {

using Buffer = PlanAddress::Buffer;

/// Bytes of the buffer that it points into; an error when there is none.
Expected<std::uint64_t> size_of(const PlanSpot& spot, const PlanAddress& address) {
    const auto of = [&](const std::vector<std::uint64_t>& sizes) -> Expected<std::uint64_t> {
        if (address.index >= sizes.size()) {
            return plan_fault(
                spot, fmt::format("there is no {} {}", to_string(address.buffer), address.index));
        }
        return sizes[address.index];
    };
    switch (address.buffer) {
        case Buffer::input:
            return of(spot.plan.inputs);
        case Buffer::output:
            return of(spot.plan.outputs);
        case Buffer::scratch:
            return of(spot.plan.scratch);
        case Buffer::symbol:
            break;
    }
    if (address.index >= spot.plan.symbols.size()) {
        return plan_fault(spot, fmt::format("there is no symbol {}", address.index));
    }
    return spot.plan.symbols[address.index].bytes;
}

/// One past the end is a pointer, too.
Status check_pointer(const PlanSpot& spot, const PlanAddress& address) {
    ATOLL_TRY_ASSIGN(const std::uint64_t size, size_of(spot, address));
    if (address.offset > size) {
        return plan_fault(
            spot, fmt::format("a pointer to byte {} of {} {} lies outside its {} bytes",
                              address.offset, to_string(address.buffer), address.index, size));
    }
    return {};
}

}  // namespace

tl::unexpected<Error> plan_fault(const PlanSpot& spot, std::string what) {
    return failure(ErrorCode::limit, std::move(what), spot.where);
}

Status check_plan_memory(const PlanSpot& spot, const DeviceLimits& limits) {
    if (spot.plan.scratch.size() > k_max_plan_scratch) {
        return plan_fault(spot, fmt::format("has {} allocations, at most {} are made",
                                            spot.plan.scratch.size(), k_max_plan_scratch));
    }
    if (spot.plan.symbols.size() > k_max_plan_symbols) {
        return plan_fault(spot,
                          fmt::format("names {} variables of the device, at most {} are known",
                                      spot.plan.symbols.size(), k_max_plan_symbols));
    }
    for (const PlanSymbol& symbol : spot.plan.symbols) {
        if (symbol.bytes > k_max_variable_bytes || symbol.name.size() > k_max_plan_name) {
            return plan_fault(spot, fmt::format("has a variable of the device of {} bytes, whose "
                                                "name has {}; at most {} and {} are taken",
                                                symbol.bytes, symbol.name.size(),
                                                k_max_variable_bytes, k_max_plan_name));
        }
    }
    std::uint64_t total = 0;
    for (const auto* sizes : {&spot.plan.inputs, &spot.plan.outputs, &spot.plan.scratch}) {
        for (const std::uint64_t bytes : *sizes) {
            if (bytes > k_max_plan_buffer) {
                return plan_fault(spot, fmt::format("has a buffer of {} bytes", bytes));
            }
            total += bytes;  // at most 768 times 2^42
        }
    }
    if (total > limits.memory_bytes / 10 * 9) {
        return plan_fault(
            spot,
            fmt::format(
                "needs {} bytes of device memory, nine tenths of the device's {} are available",
                total, limits.memory_bytes));
    }
    return {};
}

Status check_plan_map(const PlanSpot& spot, const DeviceLimits& limits, const PlanTensorMap& map) {
    // Bytes of an element; the types packed below a byte count as whole ones.
    constexpr std::array<std::uint64_t, 16> k_sizes{1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4, 1, 1, 1};
    constexpr std::uint32_t k_interleaves = 3;
    constexpr std::uint32_t k_swizzles = 7;
    constexpr std::uint32_t k_promotions = 4;
    constexpr std::uint32_t k_fills = 2;
    if (limits.major < 9) {
        return plan_fault(spot, fmt::format("tensor maps need compute capability 9.0, {} has {}.{}",
                                            limits.name, limits.major, limits.minor));
    }
    if (map.data_type >= k_sizes.size() || map.rank < 1 || map.rank > map.dims.size() ||
        map.interleave >= k_interleaves || map.swizzle >= k_swizzles ||
        map.l2_promotion >= k_promotions || map.oob_fill >= k_fills) {
        return plan_fault(
            spot, "has a tensor map with an argument that cuTensorMapEncodeTiled does not take");
    }
    // Numbers may be as large as 2^64 - 1.
    using Wide = unsigned __int128;
    Wide bytes = Wide{map.dims[0]} * k_sizes[map.data_type];
    for (std::size_t i = 0; i < map.rank; ++i) {
        if (map.dims[i] < 1 || map.dims[i] > 1ull << 32 || map.box[i] < 1 || map.box[i] > 256 ||
            map.element_strides[i] < 1 || map.element_strides[i] > 8) {
            return plan_fault(
                spot, fmt::format("has a tensor map with an extent, box or element stride out of "
                                  "range in dimension {}",
                                  i));
        }
        bytes += i > 0 ? Wide{map.dims[i] - 1} * map.strides[i - 1] : Wide{0};
    }
    return check_plan_range(spot, map.address,
                            bytes > ~0ull ? ~0ull : static_cast<std::uint64_t>(bytes));
}

Status check_plan_range(const PlanSpot& spot, const PlanAddress& address, std::uint64_t bytes) {
    ATOLL_TRY_ASSIGN(const std::uint64_t size, size_of(spot, address));
    if (address.offset > size || bytes > size - address.offset) {
        return plan_fault(
            spot, fmt::format("{} bytes at byte {} of {} {} lie outside its {} bytes", bytes,
                              address.offset, to_string(address.buffer), address.index, size));
    }
    return {};
}

Status check_plan_target(const PlanSpot& spot, const PlanAddress& address, std::uint64_t bytes) {
    if (address.buffer == Buffer::input) {
        return plan_fault(spot,
                          fmt::format("writes to input {}, which is read-only", address.index));
    }
    return check_plan_range(spot, address, bytes);
}

Status check_plan_data(const PlanSpot& spot, const PlanData& data, const std::string& what) {
    if (data.bytes.size() > k_max_plan_data_bytes) {
        return plan_fault(spot, fmt::format("{} has {} bytes, at most {} are taken", what,
                                            data.bytes.size(), k_max_plan_data_bytes));
    }
    std::uint64_t free_from = 0;
    for (const PlanRelocation& pointer : data.pointers) {
        if (pointer.at < free_from || pointer.at + k_pointer_bytes > data.bytes.size()) {
            return plan_fault(spot, what + " has a pointer outside its bytes");
        }
        free_from = pointer.at + k_pointer_bytes;
        ATOLL_TRY(check_pointer(spot, pointer.target));
    }
    free_from = 0;
    for (const PlanMapUse& map : data.maps) {
        const bool overlaps = std::any_of(data.pointers.begin(), data.pointers.end(),
                                          [&](const PlanRelocation& pointer) {
                                              return pointer.at + k_pointer_bytes > map.at &&
                                                     pointer.at < map.at + k_tensor_map_bytes;
                                          });
        if (map.at < free_from || map.at + k_tensor_map_bytes > data.bytes.size() || overlaps ||
            map.index >= spot.plan.tensor_maps.size()) {
            return plan_fault(spot, what + " has a tensor map that does not fit");
        }
        free_from = map.at + k_tensor_map_bytes;
    }
    return {};
}

}  // namespace atl
