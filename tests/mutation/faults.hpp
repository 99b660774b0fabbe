#pragma once

#include "tests/mutation/program_text.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atl::mutation {

/// What people and models get wrong in kernels.
enum class FaultClass {
    index_off_by_one,     ///< x[i] -> x[(i) + 1] or x[(i) - 1], also under a cast to a vector
    wrong_boundary,       ///< < to <=, <= to <, > to >=, >= to >; a loop from 0 begins at 1
    dropped_term,         ///< a + b - c -> a + b; `sum += x;` goes
    precision_downgrade,  ///< a stored value keeps 8 or 11 bits; double becomes float
    swapped_operands,     ///< a - b -> b - a; f(a, b) -> f(b, a); a * b + c -> c * b + a
    missing_tail,         ///< the loop over the rest goes; a clipped last block is empty; a loop
                          ///< ends at a multiple of four
};

inline constexpr std::array k_fault_classes = {
    FaultClass::index_off_by_one,    FaultClass::wrong_boundary,   FaultClass::dropped_term,
    FaultClass::precision_downgrade, FaultClass::swapped_operands, FaultClass::missing_tail,
};

[[nodiscard]] std::string_view to_string(FaultClass fault);

/// One faulty version of a source.
struct Mutant {
    FaultClass fault = FaultClass::index_off_by_one;
    std::size_t line = 1;  ///< in the original
    std::string before;    ///< the tokens that were replaced, for people
    std::string after;
    std::string source;
};

/// Every fault of one class that the source offers a place for, in source order; one edit each.
/// They may be no programs, or equivalent ones. Pure: the same source gives the same mutants.
[[nodiscard]] std::vector<Mutant> faults_of(const ProgramText& program, FaultClass fault);

/// At most `per_class` of each class, evenly spread over the source.
[[nodiscard]] std::vector<Mutant> chosen_mutants(const std::string& source, std::size_t per_class);

}  // namespace atl::mutation
