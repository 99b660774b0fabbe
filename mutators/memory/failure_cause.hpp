#pragma once

#include "reward/verdict.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

inline constexpr std::size_t k_longest_cause = 160;  ///< bytes

/// Why a candidate failed, so that the same mistake is equal wherever it was made.
struct FailureCause {
    Outcome outcome = Outcome::rejected;
    std::string message;  ///< normalised_message(); may be empty
    std::string example;  ///< the same before that, one line
};

/// nullopt for a right candidate. Of a compiler's log it is the first error, else the verdict's
/// reason; where that names a hidden workload's outcome only, no more than that. Looks at nothing
/// but public_part().
[[nodiscard]] std::optional<FailureCause> failure_cause(const Verdict& verdict);

/// A message without what differs between equal mistakes: file, line and column before it; what
/// stands in quotes ('_'); names, which are words with a digit or an underscore in them (_), but
/// for those that begin with "__"; numbers and lists of them (#). White space becomes one space
/// each. At most k_longest_cause bytes of UTF-8. Pure; the message is hostile.
[[nodiscard]] std::string normalised_message(std::string_view message);

}  // namespace atl
