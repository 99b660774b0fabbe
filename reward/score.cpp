#include "reward/score.hpp"

#include "reward/scores/presets.hpp"

namespace atl {

const std::vector<std::string>& fitness_presets() {
    static const std::vector<std::string> names = built_in_presets().fitness_names();
    return names;
}

Expected<double> score(const std::string& preset, const Verdict& verdict,
                       const BaselineTimes& baseline) {
    ATOLL_TRY_ASSIGN(const ScorePreset* found, built_in_presets().get(preset));
    const std::optional<double> value = found->score(verdict, baseline);
    if (!value) {
        return failure(ErrorCode::not_found, "the verdict has no score '" + preset + "'", "score");
    }
    return *value;
}

}  // namespace atl
