#pragma once

#include "reward/cuda/driver_types.hpp"

#include <functional>
#include <string>

/// What all functions of the simulated driver do (tests/support/simulated_driver.cpp).
namespace atl::cuda::simulated {

/// What every call answers first: whether the driver runs, and the fault that sticks.
Result state();

/// Whether there is a file named as this library, with a dot and `what` behind it.
bool is_told(const std::string& what);

/// Work of a stream.
Result queue(Stream stream, std::function<Result()> job);

/// CUpti_ActivityKind.
enum Activity : int { k_memcpy = 1, k_memset = 2, k_kernel = 10 };

/// Work that an observer hears of.
Result queue(Stream stream, Activity kind, const std::string& name, std::function<Result()> job);

}  // namespace atl::cuda::simulated
