#pragma once

#include "reward/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace atl {

/// Arithmetic over axes, as task definitions write it: + - * / // % ( ), integer and decimal
/// numbers, axis names, and min(a, b, ...), max(a, b, ...), ceil_div(a, b), log2(a). Pure; hostile
/// text gives an error of code invalid_argument or limit that points at the column.

/// In double: `/` divides exactly, `//` rounds down. A result that is not finite is an error.
[[nodiscard]] Expected<double> evaluate_expression(const std::string& expression,
                                                   const std::map<std::string, std::int64_t>& axes);

/// In 64-bit integers: `/` and `//` round down, `%` has the sign of the divisor, log2 rounds down.
/// Overflow, division by zero and decimal numbers are errors.
[[nodiscard]] Expected<std::int64_t> evaluate_integer_expression(
    const std::string& expression, const std::map<std::string, std::int64_t>& axes);

/// The axis names that occur in the expression; an error when it is malformed.
[[nodiscard]] Expected<std::set<std::string>> expression_names(const std::string& expression);

inline constexpr std::size_t k_max_expression_bytes = 1024;
inline constexpr int k_max_expression_depth = 64;

}  // namespace atl
