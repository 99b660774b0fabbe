#pragma once

#include "mutators/operator.hpp"

#include <string>
#include <vector>

namespace atl {

/// Makes one child of two parents. Parents with the same text exchange the values of their
/// `// tune:` macros and their flags (uniform or one-point). Parents with different texts exchange
/// marked regions that both have; each macro takes the value of the parent whose region needs it,
/// and definitions that only the partner has are carried over. The first parent is the base (the
/// child keeps its structure), the second the partner.
class Crossover {
  public:
    [[nodiscard]] std::string name() const { return "crossover"; }
    [[nodiscard]] int arity() const { return 2; }
    [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                  const ParentView* partner) const;
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const;
};

}  // namespace atl
