#pragma once

#include "mutators/operator.hpp"
#include "reward/base/settings.hpp"

#include <functional>
#include <string>
#include <vector>

namespace atl {

/// What the operators can be told. Declared here, beside the operators, so that a new operator
/// with a new setting touches only this folder.
struct OperatorSettings {
    std::string tune_strategy = "mixed";  ///< one of tune_strategies()
};

void declare(OperatorSettings& settings, SettingVisitor& visitor);

/// The operators that a campaign can name, in a fixed order. A value: what is in it is what its
/// owner put there.
class OperatorRegistry {
  public:
    using Make = std::function<Operator(const OperatorSettings&)>;

    /// REQUIRES that no operator has that name yet, and that `make` gives operators of that name.
    void add(std::string name, Make make);
    [[nodiscard]] const std::vector<std::string>& names() const { return m_names; }
    /// REQUIRES name to be one of names() (the config reader checks).
    [[nodiscard]] Operator make(const std::string& name, const OperatorSettings& settings) const;

  private:
    std::vector<std::string> m_names;
    std::vector<Make> m_makes;  ///< in the order of m_names
};

/// "tune", "crossover".
[[nodiscard]] OperatorRegistry shipped_operators();

}  // namespace atl
