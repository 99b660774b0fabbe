#include "reward/verdict.hpp"

#include "reward/kinds/judge_answer.hpp"
#include "reward/score.hpp"
#include "tests/fuzz/targets.hpp"

#include <cmath>

namespace atl::fuzz {

void verdict(std::string_view bytes) {
    const auto parsed = parse_verdict(bytes);
    if (!parsed) {
        return;
    }
    const std::string written = to_json(*parsed);
    const auto again = parse_verdict(written);
    must(again.has_value(), "a written verdict can be read");
    must(to_json(*again) == written, "writing a verdict and reading it changes nothing");
    (void)public_geomean_ns(*parsed);
}

void judge_answer(std::string_view bytes) {
    Verdict verdict;
    if (!read_judge_answer(std::string(bytes), verdict)) {
        return;
    }
    must(verdict.feedback.size() <= k_max_feedback_bytes, "feedback is cut");
    must(verdict.artefacts.size() <= k_max_artefacts, "artefacts are few");
    for (const auto& [name, value] : verdict.scores) {
        must(std::isfinite(value), "scores are finite");
    }
    must(parse_verdict(to_json(verdict)).has_value(), "a judge's verdict can be stored");
}

}  // namespace atl::fuzz
