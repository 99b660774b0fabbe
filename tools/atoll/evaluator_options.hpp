#pragma once

#include "reward/evaluator.hpp"

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace atl {

/// The options that say how this machine evaluates: --compiler, --sandbox, --devices,
/// --device-cores, --compile-workers, --cache.
void add_evaluator_options(CLI::App& verb, LocalEvaluatorOptions& options);

/// Throws CommandError: usage for options that cannot be, infrastructure for what is missing here.
[[nodiscard]] std::unique_ptr<Evaluator> make_evaluator_or_throw(LocalEvaluatorOptions options);

}  // namespace atl
