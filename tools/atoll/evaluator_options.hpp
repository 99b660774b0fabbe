#pragma once

#include "reward/evaluator.hpp"

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace atl {

/// The options that say how this machine evaluates whatever the devices: --compiler, --sandbox,
/// --device-cores, --cutlass, --compile-workers, --cache.
void add_machine_options(CLI::App& verb, LocalEvaluatorOptions& options);
/// Those, --devices and --gpu.
void add_evaluator_options(CLI::App& verb, LocalEvaluatorOptions& options);

/// " --compiler clang++ --device-cores 4": the options of `atoll eval` by which it measures one
/// candidate as these options do; nothing where they are the defaults.
[[nodiscard]] std::string evaluator_words(const LocalEvaluatorOptions& options);

/// Throws CommandError: usage for options that cannot be, infrastructure for what is missing here.
[[nodiscard]] std::unique_ptr<Evaluator> make_evaluator_or_throw(LocalEvaluatorOptions options);

}  // namespace atl
