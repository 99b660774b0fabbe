#pragma once

#include <array>
#include <string>
#include <string_view>

namespace atl {

/// Headers that are precompiled together, each bundle offering what the one before it does. One
/// with everything would make every compilation pay for it: using a bundle of 15 MB costs nothing
/// that can be measured, one of 250 MB about 150 ms (of about 900 without it).
enum class HeaderBundle {
    none,     ///< no more than what NVRTC itself has before every source, which takes 12 ms to read
    halves,   ///< fp16, bf16, fp8, mma
    groups,   ///< + cooperative groups, without the parts of them that need CCCL (30 ms, not 200)
    library,  ///< + those parts, cuda/std, barriers and pipelines, cub for warps and blocks
};
inline constexpr std::array k_precompiled_bundles{HeaderBundle::none, HeaderBundle::halves,
                                                  HeaderBundle::groups, HeaderBundle::library};

/// "halves": also the bundle's file name.
[[nodiscard]] const char* to_string(HeaderBundle bundle);
/// The lines of a bundle: #include, for those of its headers that are installed; empty for none.
[[nodiscard]] std::string bundle_text(HeaderBundle bundle);

struct HeaderChoice {
    HeaderBundle bundle = HeaderBundle::none;
    /// Why the source is refused: "candidate.cu(3): ..."; empty when it is not.
    std::string refusal;
};

/// Looks at the #include lines of a device source (also at those that #if leaves out). Allowed are
/// CUDA's device headers, CCCL (cub/, cuda/, thrust/, nv/), standard headers (host_headers()), and,
/// `with_cutlass`, cutlass/ and cute/. Others, absolute paths, "..", and names made by macros are
/// refused. This is for clear messages; what holds is that the jail shows nothing else. None
/// is chosen where the source sets a macro that the headers may look at before it includes them.
/// Pure; linear in the source.
[[nodiscard]] HeaderChoice choose_headers(std::string_view source, bool with_cutlass);

}  // namespace atl
