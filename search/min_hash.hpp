#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace atl {

/// What a source is reduced to, to compare it with a million others: b-bit MinHash (Li and König,
/// "b-Bit Minwise Hashing", WWW 2010, with b = 16) of its shingles, the runs of `k_shingle_tokens`
/// tokens that occur in it (Broder, "On the resemblance and containment of documents", 1997).
/// White space and comments do not count (normalised_tokens()).
inline constexpr std::size_t k_shingle_tokens = 3;
inline constexpr std::size_t k_sketch_values = 128;
using Sketch = std::array<std::uint16_t, k_sketch_values>;

/// A pure function of the text, the same on every machine. A source of fewer tokens than a shingle
/// has is one shingle.
[[nodiscard]] Sketch sketch_of(std::string_view source);

/// Equal values at equal places, 0 to k_sketch_values.
[[nodiscard]] std::size_t agreements(const Sketch& a, const Sketch& b);

/// Estimates the Jaccard index J of the two sets of shingles as agreements / k_sketch_values:
/// unbiased (but for 16-bit collisions, below 2e-5) with standard deviation sqrt(J (1 - J) / 128).
[[nodiscard]] double similarity(const Sketch& a, const Sketch& b);

}  // namespace atl
