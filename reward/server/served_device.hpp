#pragma once

#include "reward/evaluator.hpp"

#include <memory>
#include <string>
#include <vector>

namespace atl {

/// One class of devices that a server offers, and who evaluates on it.
struct ServedDevice {
    std::string name;                ///< "cpu", "cuda", "external"
    std::vector<std::string> kinds;  ///< of candidates, the default one first
    int count = 1;                   ///< devices of that class
    EvaluationLimits limits;
    std::unique_ptr<Evaluator> evaluator;
};

using ServedDevices = std::vector<ServedDevice>;

}  // namespace atl
