#pragma once

#include <array>
#include <cstdint>

namespace atl {

/// Random numbers for tensors, in blocks: the words are those of CounterRng(seed,
/// RngPurpose::input_values, element / 4, stream), so an element's value depends on nothing but
/// (seed, stream, element). Only IEEE basic operations in a fixed order are used (no libm, no
/// fused multiply-add), so every machine makes the same bits. Compiled with vectorisation on.

inline constexpr std::int64_t k_random_block = 1024;  ///< elements; blocks begin at multiples of it

using RandomWords = std::array<std::uint32_t, k_random_block>;
using RandomValues = std::array<double, k_random_block>;
using RandomSingles = std::array<float, k_random_block>;

/// One 32-bit word for each element of the block that begins at `first` (a multiple of
/// k_random_block). `draw` tells several words of one element apart.
void random_words(std::uint64_t seed, std::uint32_t stream, std::uint32_t draw, std::int64_t first,
                  RandomWords& words);

/// Uniform in (0, 1), 31 bits.
void unit_values(const RandomWords& words, RandomValues& values);

/// Exponential values of mean 1, -log(u): from 4.7e-10 to 22.
void exponential_values(const RandomWords& words, RandomValues& values);

/// Standard normal values by Box and Muller's method ("A Note on the Generation of Random Normal
/// Deviates", 1958), elements 2j and 2j+1 from words 2j and 2j+1; logarithm and sine by polynomials
/// of relative error below 1e-8. The largest magnitude is 6.7.
void normal_values(const RandomWords& words, RandomValues& values);

/// Uniform in (0, 1], in single precision: 24 bits near 1 and 31 near 0.
void unit_singles(const RandomWords& words, RandomSingles& values);

/// As normal_values(), from the same words, in single precision: a radius to 2e-6, a sine and a
/// cosine to 2e-6 (polynomials of least largest error by Chebyshev's method, so that a GPU, which
/// has few units for doubles, makes them twice as fast). Never 0; the largest magnitude is 6.7.
void normal_singles(const RandomWords& words, RandomSingles& values);

/// Replaces each x in [-300, 300] by 10^x, relative error below 1e-12.
void powers_of_ten(RandomValues& values);

}  // namespace atl
