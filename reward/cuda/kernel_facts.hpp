#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// A parameter of a kernel as it lies in the parameter space.
struct KernelParameter {
    std::uint32_t offset = 0;  ///< bytes
    std::uint32_t size = 0;    ///< bytes
    bool operator==(const KernelParameter&) const = default;
};

/// What a cubin says of one kernel, without a GPU.
struct KernelFacts {
    std::string name;                       ///< as linked: mangled unless extern "C"
    std::uint32_t registers = 0;            ///< per thread
    std::uint32_t static_shared_bytes = 0;  ///< per block, without what the device reserves
    std::uint32_t local_bytes = 0;          ///< stack frame per thread
    std::uint32_t spill_store_bytes = 0;  ///< per thread; 0 where the compiler's log is not at hand
    std::uint32_t spill_load_bytes = 0;
    std::uint32_t barriers = 0;
    std::uint32_t max_threads = 0;            ///< of __launch_bounds__; 0: none
    std::vector<KernelParameter> parameters;  ///< by ordinal
};

}  // namespace atl
