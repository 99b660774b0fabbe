#pragma once

#include <string>
#include <string_view>

namespace atl {

/// An ordinary .cu file as two sources of the same number of lines, with the other half's text
/// blanked: what is left stands on its line, and in its column but where a macro was written out,
/// so that messages fit the file.
struct SplitSource {
    /// For NVRTC, which refuses host functions ("not allowed in JIT mode"). To be compiled with
    /// -default-device: constants and constexpr functions without an execution space are both
    /// halves' and would be refused without it.
    std::string device;
    /// For a C++ compiler that knows __global__: kernels have empty bodies, and functions of the
    /// device alone are gone, so that no intrinsic, inline PTX or device library is needed.
    std::string host;
    /// The host half includes more than headers of C, which the shim stands in for and which are
    /// then blanked.
    bool host_headers = false;
};

/// Splits by a lexer over declarations at namespace and class scope; no compiler is asked. Uses of
/// the source's own macros that define functions or types are written out first (split_macros.hpp),
/// those apart that have several definitions. Rules: a function with __global__ is the device's,
/// its signature also the host's; one with __device__ alone the device's (its signature also the
/// host's where host code names it); with both spaces, or constexpr, both halves'; others the
/// host's. Variables with a memory space, constants, types and declarations of templates are
/// both's, but the host's where they name its library's types. #include of host headers goes from
/// the device half, of CUDA headers from the host half, whose shim stands in for them. Other
/// preprocessor lines stay. Internal linkage is taken from what is __global__, __device__ or
/// __constant__ (static, unnamed namespaces): its linked names differ between compilers.
///
/// Linear-time, for hostile text too; what is no C++ comes out in a way that a compiler complains
/// about.
[[nodiscard]] SplitSource split_cuda_source(std::string_view source);

}  // namespace atl
