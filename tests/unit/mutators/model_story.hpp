#pragma once

#include "mutators/operators/model_operators.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

inline constexpr const char* k_source =
    "#ifndef TILE\n#define TILE 16  // tune: 8, 16, 32\n#endif\n"
    "// region: body\nint a = TILE;\n// endregion: body\n";

[[nodiscard]] inline TaskPtr task() {
    auto made = std::make_shared<Task>();
    made->name = "small";
    made->kind = "cuda";
    return made;
}

[[nodiscard]] inline ParentView parent(std::uint64_t ticket, const std::string& source,
                                       double fitness = 1, ParentRole role = ParentRole::base,
                                       std::map<std::string, std::string> tune = {}) {
    return parent_view(IndividualId::make(ticket, 0), role,
                       {"cuda", source, std::move(tune), {"-flag"}}, fitness, "starter",
                       std::make_shared<SourceParts>(read_parts(*task(), source)));
}

[[nodiscard]] inline OperatorInput input(std::vector<ParentView> parents) {
    return {task(), std::move(parents), CounterRng(3, RngPurpose::operator_body, 1), 8, {}};
}

[[nodiscard]] inline Operator model_operator(const std::string& name, ModelBudget budget = {}) {
    const PromptFacts facts{"cuda", "small", "", "", "the contract", ""};
    OperatorRegistry registry;
    add_model_operators(registry,
                        std::make_shared<Prompts>(value_or_throw(Prompts::load(
                            ATOLL_SOURCE_DIR "/mutators/prompts/templates", {}, facts))),
                        budget);
    return registry.make(name, {});
}

[[nodiscard]] inline std::string code(const std::string& source) {
    return "```cuda\n" + source + "```\n";
}

/// What was said and done in a run: a model that answers from a list (and then no more), and an
/// evaluator that finds wrong what says so.
struct Story {
    std::vector<Question> questions;
    std::vector<Proposal> proposals;
    std::string trouble;
};

[[nodiscard]] inline Story play(const Operator& op, const OperatorInput& in,
                                const std::vector<std::string>& answers) {
    Story story;
    OperatorRun run = op.start(in);
    for (;;) {
        OperatorStep step = run.step();
        if (auto* proposal = std::get_if<Proposal>(&step)) {
            Evaluation evaluation;
            evaluation.correct = proposal->candidate.source.find("wrong") == std::string::npos;
            evaluation.words.verdict = "Outcome: wrong_result.\n";
            story.proposals.push_back(std::move(*proposal));
            run.tell(evaluation);
        } else if (auto* question = std::get_if<Question>(&step)) {
            const std::size_t turn = story.questions.size();
            story.questions.push_back(std::move(*question));
            run.tell(turn < answers.size() ? ModelAnswer{answers[turn]} : ModelAnswer{});
        } else {
            story.trouble = run.trouble();
            return story;
        }
    }
}

}  // namespace atl::testing
