#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace atl {

/// What a stream of random numbers is for. The numbers are on disk (journals replay them): never
/// renumber, only append.
enum class RngPurpose : std::uint32_t {
    island = 1,
    parent = 2,
    operator_choice = 3,
    operator_body = 4,
    migration = 5,
    replacement = 6,
    input_values = 7,
    measurement = 8,
    placement = 9,
    starter = 10,
    topology = 11,
    reset = 12,
    model_choice = 13,
    strategy_choice = 14,
    step_size = 15,
    inspirations = 16,
    shown_programs = 17,
    spawn = 20,
};

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy
/// as 1, 2, 3", SC 2011). The stream is a pure function of (seed, purpose, ticket, stream), so a
/// resumed campaign draws the same numbers without any stored generator state.
/// A value type; not thread-safe, copy one per thread.
class CounterRng {
  public:
    CounterRng(std::uint64_t seed, RngPurpose purpose, std::uint64_t ticket,
               std::uint32_t stream = 0);

    using result_type = std::uint64_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return ~result_type{0}; }
    result_type operator()() { return next(); }

    [[nodiscard]] std::uint64_t next();
    /// Uniform in [0, 1), 53 bits.
    [[nodiscard]] double uniform();
    /// Uniform in [0, bound), unbiased. REQUIRES bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);
    /// Standard normal (Box-Muller; one draw pair per value, no cached half).
    [[nodiscard]] double normal();
    /// Index drawn with probability weights[i] / sum. REQUIRES a positive, finite sum.
    [[nodiscard]] std::size_t weighted(std::span<const double> weights);

  private:
    std::array<std::uint32_t, 4> m_counter{};
    std::array<std::uint32_t, 2> m_key{};
    std::array<std::uint32_t, 4> m_block{};
    unsigned m_used = 4;
};

/// One Philox4x32-10 block; exposed for the published test vectors.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key);

}  // namespace atl
