#include "search/verdict_words.hpp"

#include "mutators/prompts/parent_words.hpp"

#include <utility>

namespace atl {

Expected<ParentWords> VerdictWords::of(const Individual& individual, const Fitness& fitness) {
    if (individual.verdict.is_zero()) {
        return ParentWords{};
    }
    if (const ParentWords* kept = m_kept.find(individual.verdict)) {
        return *kept;
    }
    ATOLL_TRY_ASSIGN(const std::string text, m_texts->text(individual.verdict));
    ATOLL_TRY_ASSIGN(const Verdict verdict, parse_verdict(text));
    ParentWords words = parent_words(verdict, fitness.baseline());
    const std::size_t bytes =
        sizeof(words) + words.verdict.capacity() + words.bottleneck.capacity();
    return m_kept.put(individual.verdict, std::move(words), bytes);
}

}  // namespace atl
