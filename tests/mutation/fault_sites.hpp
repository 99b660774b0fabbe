#pragma once

#include "tests/mutation/faults.hpp"

#include <string>
#include <vector>

namespace atl::mutation {

/// Collects the edits of one class.
class FaultSites {
  public:
    FaultSites(const ProgramText& program, FaultClass fault) : m_program(program), m_fault(fault) {}
    /// Tokens [first, last] become `by`; `prelude` stands before the whole source.
    void add(std::size_t first, std::size_t last, const std::string& by,
             const std::string& prelude = "");
    [[nodiscard]] std::size_t count() const { return m_mutants.size(); }
    [[nodiscard]] std::vector<Mutant> take() { return std::move(m_mutants); }

  private:
    const ProgramText& m_program;
    FaultClass m_fault;
    std::vector<Mutant> m_mutants;
};

void find_precision_downgrades(const ProgramText& program, FaultSites& sites);
void find_swapped_operands(const ProgramText& program, FaultSites& sites);
void find_missing_tails(const ProgramText& program, FaultSites& sites);

}  // namespace atl::mutation
