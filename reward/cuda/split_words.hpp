#pragma once

#include <string_view>

namespace atl {

/// What single words and names of headers say about the half of a .cu file that they belong to.
/// Pure functions, safe on every thread.

/// What the words before a function's parameters or a variable's name say.
struct CudaSpecifiers {
    bool global = false;
    bool device = false;
    bool host = false;
    bool memory = false;    ///< __shared__, __constant__, __managed__
    bool constant = false;  ///< const, constexpr, consteval, constinit

    /// Any word; those that specify nothing change nothing.
    void add(std::string_view word);
    void add(const CudaSpecifiers& other);
    [[nodiscard]] bool any_space() const { return global || device || host || memory; }
};

/// Words whose parentheses are not those of a function's parameters.
[[nodiscard]] bool takes_no_parameters(std::string_view word);
/// Types of the host's library: what holds one cannot be meant for the device.
[[nodiscard]] bool is_host_type(std::string_view word);
/// Such types that are the host's when std:: stands before them: other things are called so, too.
[[nodiscard]] bool is_host_type_of_std(std::string_view word);
/// Namespaces that only device code can use.
[[nodiscard]] bool is_device_library(std::string_view word);

/// Headers of the CUDA toolkit, which the shim stands in for on the host.
[[nodiscard]] bool is_cuda_header(std::string_view name);
/// Headers whose contents NVRTC has by itself or cannot have.
[[nodiscard]] bool is_host_header(std::string_view name);
/// Headers of C that the shim's own declarations can stand in for.
[[nodiscard]] bool is_plain_header(std::string_view name);
/// Those of them that cost nothing and define macros.
[[nodiscard]] bool is_light_header(std::string_view name);
/// Headers that declare CUtensorMap, which kernels take.
[[nodiscard]] bool has_tensor_maps(std::string_view header);

}  // namespace atl
