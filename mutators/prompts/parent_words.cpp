#include "mutators/prompts/parent_words.hpp"

#include <utility>

namespace atl {

ParentWords parent_words(const Verdict& verdict, const BaselineTimes& baseline) {
    Verdict shown = public_part(verdict);
    ParentWords words;
    if (shown.profile) {
        words.bottleneck = std::exchange(shown.profile->sentence, {});
    }
    words.verdict = feedback_text(shown, baseline);
    return words;
}

}  // namespace atl
