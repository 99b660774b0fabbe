#pragma once

#include "mutators/operator.hpp"
#include "reward/base/settings.hpp"

#include <string>
#include <vector>

namespace atl {

/// What the operators can be told. Declared here, beside the operators, so that a new operator
/// with a new setting touches only this folder.
struct OperatorSettings {
    std::string tune_strategy = "mixed";  ///< "random", "local", "halving" or "mixed"
};

void declare(OperatorSettings& settings, SettingVisitor& visitor);

/// "tune", "crossover".
[[nodiscard]] const std::vector<std::string>& operator_names();
/// REQUIRES name to be one of operator_names() (the config reader checks).
[[nodiscard]] Operator make_operator(const std::string& name, const OperatorSettings& settings);

}  // namespace atl
