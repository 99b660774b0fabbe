#include "population/individual.hpp"

namespace atl {

std::string IndividualId::text() const {
    return std::to_string(ticket()) + "." + std::to_string(step());
}

const char* to_string(ParentRole role) {
    switch (role) {
        case ParentRole::base:
            return "base";
        case ParentRole::partner:
            return "partner";
        case ParentRole::inspiration:
            return "inspiration";
        case ParentRole::migrant:
            return "migrant";
        case ParentRole::exemplar:
            return "exemplar";
    }
    return "base";
}

const char* to_string(StepSize step) {
    switch (step) {
        case StepSize::none:
            return "none";
        case StepSize::small:
            return "small";
        case StepSize::large:
            return "large";
    }
    return "none";
}

const char* to_string(SameBy why) {
    switch (why) {
        case SameBy::key:
            return "key";
        case SameBy::names:
            return "names";
        case SameBy::binary:
            return "binary";
    }
    return "key";
}

void answer_from(const Individual& equal, SameBy why, Individual& individual) {
    // A copy of a copy is one of the first: there is one program, whatever the way to it.
    const bool copy = equal.duplicate && equal.same_by != SameBy::key;
    individual.same_by = copy ? equal.same_by : why;
    individual.same_as = copy ? equal.same_as : equal.id;
    individual.binary = equal.binary;
    individual.duplicate = true;
    individual.outcome = equal.outcome;
    individual.fitness = equal.fitness;
    individual.time_ns = equal.time_ns;
    individual.measures = equal.measures;
    individual.verdict = equal.verdict;
}

}  // namespace atl
