#pragma once

namespace atl {

/// The measuring protocol of GPUs (reward/gpu/README.md): part of verdict cache keys.
inline constexpr const char* k_cuda_protocol = "cuda-cold-v2";

}  // namespace atl
