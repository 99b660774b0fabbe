#include "mutators/operators/registry.hpp"

#include "mutators/operators/crossover.hpp"
#include "mutators/operators/tune.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace atl {

void declare(OperatorSettings& settings, SettingVisitor& visitor) {
    visitor.choice(
        "tune.strategy", settings.tune_strategy, tune_strategies(),
        "How the tune operator searches: random draws fresh values, local walks along "
        "one value at a time, halving keeps the better half of random draws, bayes "
        "tries what a Gaussian process fitted to the measurements expects most of; mixed "
        "draws one of the first three for each ticket.");
}

void OperatorRegistry::add(std::string name, Make make) {
    m_names.push_back(std::move(name));
    m_makes.push_back(std::move(make));
}

Operator OperatorRegistry::make(const std::string& name, const OperatorSettings& settings) const {
    const auto place = std::find(m_names.begin(), m_names.end(), name);
    if (place == m_names.end()) {
        throw std::logic_error("unknown operator " + name);
    }
    return m_makes[static_cast<std::size_t>(place - m_names.begin())](settings);
}

OperatorRegistry shipped_operators() {
    OperatorRegistry registry;
    // A new operator is one more line here.
    registry.add("tune",
                 [](const auto& settings) { return Operator(Tune(settings.tune_strategy)); });
    registry.add("crossover", [](const auto&) { return Operator(Crossover()); });
    return registry;
}

}  // namespace atl
