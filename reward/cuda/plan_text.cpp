#include "reward/cuda/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace atl {

namespace {

constexpr std::size_t k_shown_bytes = 16;

std::string text_of(const PlanAddress& address) {
    std::string text = fmt::format("{} {}", to_string(address.buffer), address.index);
    return address.offset == 0 ? text : text + fmt::format(" + {}", address.offset);
}

std::string text_of(const PlanDim& dim) {
    return fmt::format("({}, {}, {})", dim[0], dim[1], dim[2]);
}

/// One number where it is one, else the beginning of the bytes; pointers as places.
std::string text_of(const PlanData& data) {
    if (data.pointers.size() == 1 && data.bytes.size() == k_pointer_bytes) {
        return text_of(data.pointers.front().target);
    }
    std::string text;
    if (data.bytes.size() == 4 && data.pointers.empty()) {
        std::int32_t integer = 0;
        float real = 0;
        std::memcpy(&integer, data.bytes.data(), sizeof(integer));
        std::memcpy(&real, data.bytes.data(), sizeof(real));
        const bool looks_real = std::abs(real) > 1e-6F && std::abs(real) < 1e9F;
        return looks_real ? fmt::format("{}f", real) : fmt::format("{}", integer);
    }
    text = fmt::format("{} bytes", data.bytes.size());
    for (std::size_t i = 0; i < std::min(data.bytes.size(), k_shown_bytes); ++i) {
        text += fmt::format("{}{:02x}", i % 8 == 0 ? " " : "", data.bytes[i]);
    }
    text += data.bytes.size() > k_shown_bytes ? "..." : "";
    for (const PlanRelocation& pointer : data.pointers) {
        text += fmt::format(", at {}: {}", pointer.at, text_of(pointer.target));
    }
    for (const PlanMapUse& map : data.maps) {
        text += fmt::format(", at {}: tensor map {}", map.at, map.index);
    }
    return "{" + text + "}";
}

std::string text_of(const PlanLaunch& launch) {
    std::string text = fmt::format("launch {} grid {} block {}", launch.kernel,
                                   text_of(launch.grid), text_of(launch.block));
    if (launch.cluster != PlanDim{0, 0, 0}) {
        text += " cluster " + text_of(launch.cluster);
    }
    if (launch.shared_bytes > 0) {
        text += fmt::format(" shared {}", launch.shared_bytes);
    }
    text += launch.cooperative ? " cooperative" : "";
    text += launch.programmatic ? " programmatic" : "";
    text += " arguments";
    for (const PlanData& argument : launch.arguments) {
        text += (&argument == &launch.arguments.front() ? " " : ", ") + text_of(argument);
    }
    return text;
}

std::string text_of(const PlanMemset& memset) {
    return fmt::format("memset {}: {} bytes of {}", text_of(memset.to), memset.bytes, memset.value);
}

std::string text_of(const PlanCopy& copy) {
    return fmt::format("copy {} <- {}: {} bytes", text_of(copy.to), text_of(copy.from), copy.bytes);
}

std::string text_of(const PlanWrite& write) {
    return fmt::format("write {}: {}", text_of(write.to), text_of(write.data));
}

}  // namespace

std::string to_text(const Plan& plan) {
    std::string text;
    for (std::size_t i = 0; i < plan.scratch.size(); ++i) {
        text += fmt::format("  scratch {}: {} bytes\n", i, plan.scratch[i]);
    }
    for (std::size_t i = 0; i < plan.symbols.size(); ++i) {
        text += fmt::format("  symbol {}: {}, {} bytes\n", i, plan.symbols[i].name,
                            plan.symbols[i].bytes);
    }
    for (std::size_t i = 0; i < plan.tensor_maps.size(); ++i) {
        const PlanTensorMap& map = plan.tensor_maps[i];
        text += fmt::format("  tensor map {}: {}", i, text_of(map.address));
        for (std::size_t d = 0; d < std::min<std::size_t>(map.rank, map.dims.size()); ++d) {
            text += fmt::format("{}{} by {}", d == 0 ? ", " : " x ", map.dims[d], map.box[d]);
        }
        text += "\n";
    }
    for (const PlanKernelSettings& one : plan.settings) {
        text += fmt::format("  kernel {}: dynamic shared memory up to {} bytes", one.kernel,
                            one.max_dynamic_shared);
        text += one.shared_carveout >= 0 ? fmt::format(", carve-out {} %", one.shared_carveout)
                                         : std::string();
        text += one.non_portable_cluster ? ", large clusters\n" : "\n";
    }
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const PlanStep& step = plan.steps[i];
        text += fmt::format("  {:3} line {:<4} {}\n", i + 1, step.line,
                            std::visit([](const auto& what) { return text_of(what); }, step.what));
    }
    return text;
}

}  // namespace atl
