#pragma once

#include "reward/task.hpp"

namespace atl {

/// What atoll_fill() takes, as reward/gpu/kernels/inputs.inc numbers and explains it.
struct FillArguments {
    enum Kind : int {
        normal,
        uniform_real,
        uniform_narrow,
        uniform_broad,
        constant,
        spikes,
        wide,
        ramp,
        alternate,
        skewed
    };
    Kind kind = constant;
    double a = 0;
    double b = 0;
    double c = 0;
};

/// Of a generator that is_made_in_single() they are numbers of that precision, and of a uniform one
/// `c` is the upper bound. For a generator that check_generator() passed, resolved, and no part of
/// a sparse matrix. Pure.
[[nodiscard]] FillArguments fill_arguments(const InputGenerator& generator, DType dtype);

}  // namespace atl
