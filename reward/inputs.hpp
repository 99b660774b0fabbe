#pragma once

#include "reward/base/error.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// Input generators, by InputGenerator::kind:
///   "normal"    parameters mean, stddev
///   "uniform"   low, high (integers: inclusive)
///   "constant"  value
///   "spikes"    normal(stddev) with a share `rate` of elements multiplied by `scale`
///   "wide"      sign * 10^uniform(low_exponent, high_exponent)
///   "ramp"      start + step * index / count (structured: position matters)
///   "alternate" +value, -value, ... (cancellation)
///   "skewed"    whole numbers low + floor((high - low + 1) * u^power): low ones are frequent
///   "csr_offsets", "csr_columns"  row offsets and column indices of a sparse matrix; they depend
///               on each other and on their position, and are made by make_input_set() only
///               (reward/sparse_rows.hpp)
/// Values of element i depend only on (seed, i), so any range can be refilled alone with a new seed
/// and the same seed gives the same bytes on every machine. Values are rounded to the dtype.
[[nodiscard]] const std::vector<std::string>& generator_names();

/// invalid_argument (with the nearest known word) for an unknown kind or parameter, a value that
/// makes no sense, or a range that the dtype cannot hold.
/// Parameters that are expressions over axes have no value yet: only their names are checked.
[[nodiscard]] Status check_generator(const InputGenerator& generator, DType dtype);

/// The generator with its expressions evaluated, and checked. invalid_argument: an unknown axis, or
/// a value that check_generator() refuses.
[[nodiscard]] Expected<InputGenerator> resolve_generator(
    const InputGenerator& generator, DType dtype, const std::map<std::string, std::int64_t>& axes);

/// Whether the generator's tensor is part of a sparse matrix ("csr_...").
[[nodiscard]] bool is_sparse_part(const InputGenerator& generator);

/// Fills elements [begin, end) of a dense tensor of `count` elements. `values` holds the whole
/// tensor. `stream` tells tensors with one seed apart. invalid_argument: unknown kind or parameter,
/// expressions that were not resolved, or part of a sparse matrix.
[[nodiscard]] Status fill_input(const InputGenerator& generator, DType dtype, std::uint64_t seed,
                                std::uint32_t stream, std::int64_t begin, std::int64_t end,
                                std::int64_t count, std::span<std::byte> values);

/// Generator of `input` in `distribution`, or the default ("normal" for floats, "uniform" over
/// [-127, 127] for integers).
[[nodiscard]] InputGenerator generator_for(const Distribution& distribution,
                                           const TensorSpec& input);

/// Range of a "uniform" generator with its defaults filled in; integers include both ends.
struct Bounds {
    double low = -1;
    double high = 1;
};
[[nodiscard]] Bounds uniform_bounds(const InputGenerator& generator, DType dtype);

/// Whether the values are made in single precision and then rounded to the dtype: those of "normal"
/// and "uniform" for floats of at most 32 bits, unless the parameters are huge. All others are made
/// in double precision.
[[nodiscard]] bool is_made_in_single(const InputGenerator& generator, DType dtype);

/// Parameters of a "skewed" generator with the defaults filled in; both ends are included.
struct SkewedRange {
    double low = 0;
    double high = 127;
    double power = 3;
};
[[nodiscard]] SkewedRange skewed_range(const InputGenerator& generator);

/// One element as double / from double (f16, bf16 included). Storing rounds to nearest even;
/// integers are rounded likewise and saturate (NaN becomes 0), floats overflow to infinity.
[[nodiscard]] double load_element(DType dtype, const std::byte* values, std::int64_t index);
void store_element(DType dtype, std::byte* values, std::int64_t index, double value);

/// Smallest and largest finite values of a dtype.
[[nodiscard]] double lowest_value(DType dtype);
[[nodiscard]] double highest_value(DType dtype);

}  // namespace atl
