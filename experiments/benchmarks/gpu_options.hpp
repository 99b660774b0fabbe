#pragma once

#include "reward/evaluator.hpp"

#include <cstdlib>

/// What the benchmarks on a GPU evaluate with. ATOLL_TEST_SANDBOX=none, as for tools/gpu-test, lets
/// them run where there is no jail.
inline atl::LocalEvaluatorOptions gpu_options() {
    atl::LocalEvaluatorOptions options;
    options.kind = "cuda";
    if (const char* sandbox = std::getenv("ATOLL_TEST_SANDBOX")) {
        options.required_sandbox = sandbox;
    }
    return options;
}
