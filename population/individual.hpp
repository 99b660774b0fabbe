#pragma once

#include "population/tune_values.hpp"
#include "reward/base/hash.hpp"
#include "reward/outcome.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// Names an individual: the ticket that made it and its step inside that ticket. The id does not
/// depend on the order in which results arrive. A starter is evaluated under a ticket of its own
/// (operator "starter", no parents), one for each starter and island that it begins on; these are
/// the first tickets, 0 to S-1. So 0.0 is a real individual, and "none" needs an optional.
struct IndividualId {
    std::uint64_t value = 0;

    static constexpr int k_step_bits = 16;
    static IndividualId make(std::uint64_t ticket, std::uint32_t step) {
        return {ticket << k_step_bits | step};
    }
    [[nodiscard]] std::uint64_t ticket() const { return value >> k_step_bits; }
    [[nodiscard]] std::uint32_t step() const {
        return static_cast<std::uint32_t>(value & ((1u << k_step_bits) - 1));
    }
    /// "17.2": ticket 17, step 2.
    [[nodiscard]] std::string text() const;
    auto operator<=>(const IndividualId&) const = default;
};

/// On disk: only append.
enum class ParentRole : std::uint8_t {
    base = 0,
    partner = 1,
    inspiration = 2,  ///< a model was shown it, for ideas
    migrant = 3,
    exemplar = 4,  ///< a model was shown it with its score, to compare
};

[[nodiscard]] const char* to_string(ParentRole role);
/// Whether the child is made of it; others were only shown to who made the child, and count neither
/// as its ancestors nor it as their child.
[[nodiscard]] constexpr bool is_made_of(ParentRole role) {
    return role != ParentRole::inspiration && role != ParentRole::exemplar;
}

/// How far a child is to be from its base, where the selector decides that (AdaExplore's two
/// actions): a refinement, or something new. On disk: only append.
enum class StepSize : std::uint8_t { none = 0, small = 1, large = 2 };

[[nodiscard]] const char* to_string(StepSize step);

/// Why a duplicate is the same program as the one that answered it. On disk: only append.
enum class SameBy : std::uint8_t {
    key = 0,     ///< Individual::key
    names = 1,   ///< its source is, but for the names of variables (search/same_names.hpp)
    binary = 2,  ///< the compiler made the same of both
};

[[nodiscard]] const char* to_string(SameBy why);

struct Parent {
    IndividualId id;
    ParentRole role = ParentRole::base;
    double probability = 1;  ///< with which the selector chose it
    bool operator==(const Parent&) const = default;
};

/// A candidate with its verdict and ancestry. Texts are content ids into the text store.
/// Immutable once its ticket is committed; under 1 KB without its texts.
struct Individual {
    IndividualId id;
    std::uint32_t island = 0;  ///< where it was born
    Digest key;                ///< candidate_key()
    Digest source;             ///< text id
    TuneValues tune;
    std::vector<std::string> flags;
    std::string starter;          ///< structure it descends from (by its base parent)
    std::vector<Parent> parents;  ///< empty for starters
    std::string operator_name;    ///< "starter", "tune", "crossover", ...
    std::string description;      ///< what the operator says it did
    Digest prompt;                ///< text id, zero when no model was asked
    Digest reply;
    Outcome outcome = Outcome::rejected;
    double fitness = 0;  ///< search fitness (score preset of the campaign); 0 = incorrect
    double time_ns = 0;  ///< public geomean; 0 = not measured
    std::vector<double>
        measures;                 ///< of a right one: what its archive looks at, archive_measures()
    Digest verdict;               ///< text id of the verdict's JSON
    bool duplicate = false;       ///< answered from the verdicts of an equal candidate
    std::uint64_t staleness = 0;  ///< commits between choosing its parents and its own commit
    std::int64_t asked_ns = 0;    ///< that the campaign had run by then, monotonic
    std::int64_t done_ns = 0;
    /// What its operator expected before it was measured: its base parent's time over its own. 0:
    /// nothing was predicted.
    double predicted_gain = 0;
    Digest binary;                 ///< CompileReport::binary; zero: not known
    SameBy same_by = SameBy::key;  ///< of a duplicate
    IndividualId same_as;          ///< of a duplicate: who answered it (by its key, in records from
                                   ///< before this was one of them: 0.0)
    /// Cycling (search/cycling.hpp): lines that its base parent does not have, and those of them
    /// that an ancestor had and that were removed on the way to that parent.
    std::uint32_t added_lines = 0;
    std::uint32_t returned_lines = 0;
};

/// Makes `individual` a duplicate, which is answered from the verdict of `equal`.
void answer_from(const Individual& equal, SameBy why, Individual& individual);

}  // namespace atl
