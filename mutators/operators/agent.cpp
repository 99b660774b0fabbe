#include "mutators/operators/agent.hpp"

#include "mutators/prompts/prompt_material.hpp"
#include "mutators/replies/agent_call.hpp"
#include "reward/source_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;
using Tool = AgentCall::Tool;

Json program_json(const ShownProgram& program) {
    return {{"id", program.id}, {"score", program.score}, {"source", program.source}};
}

/// One session: what the agent is told, and what it may still do.
class Session {
  public:
    Session(const OperatorInput& in, const AgentSettings& settings)
        : m_in(in),
          m_base(in.parents.at(0)),
          m_source(apply_tune_to_text(m_base.candidate.source, m_base.candidate.tune)),
          m_parent_words(in.parent_words.empty() ? ParentWords{} : in.parent_words[0]),
          m_evaluations_left(std::min(in.max_evaluations, static_cast<int>(settings.evaluations))) {
    }

    [[nodiscard]] Json begin(double seconds) const {
        return {{"type", "task"},
                {"task", m_in.task->name},
                {"kind", m_base.candidate.kind},
                {"parent", parent_json()},
                {"seconds", seconds}};
    }

    /// The message as it is sent, with where the session stands.
    [[nodiscard]] std::string line_of(Json message) {
        Json line = {{"turn", m_turn++}};
        line.update(message);
        line["evaluations_left"] = m_evaluations_left;
        line["last"] = is_last();
        m_line = line.dump(-1, ' ', false, Json::error_handler_t::replace);
        return m_line;
    }

    /// Whether the agent is not asked once more, whatever it answers.
    [[nodiscard]] bool is_last() const {
        return m_turn >= k_max_agent_turns || m_faults >= k_max_agent_faults;
    }
    /// The engine asks nothing more of an operator that has spent its evaluations.
    [[nodiscard]] bool is_last_evaluation() const { return m_evaluations_left <= 1; }

    [[nodiscard]] Json fault(const ReplyFault& fault) {
        ++m_faults;
        return {{"type", "error"}, {"what", fault.words}};
    }

    [[nodiscard]] Candidate candidate_of(std::string source) const {
        return {m_base.candidate.kind, std::move(source), {}, m_base.candidate.flags};
    }

    /// What the agent wants measured; nullopt: it is its parent.
    [[nodiscard]] std::optional<Proposal> proposal(const AgentCall& call,
                                                   std::string answer) const {
        Proposal proposal;
        proposal.candidate = candidate_of(call.source);
        if (candidate_key(proposal.candidate) == candidate_key(candidate_of(m_source))) {
            return std::nullopt;
        }
        proposal.description = std::string(k_agent) + " of " + m_base.id.text();
        proposal.description += call.change.empty() ? "" : ": " + call.change;
        proposal.prompt = m_line;
        proposal.reply = std::move(answer);
        return proposal;
    }

    [[nodiscard]] Json measured(const Evaluation& evaluation) {
        m_evaluations_left -= evaluation.duplicate || evaluation.turned_down ? 0 : 1;
        m_last_words = evaluation.words;
        return {{"type", "result"},
                {"tool", "eval"},
                {"correct", evaluation.correct},
                {"score", evaluation.fitness},
                {"time_ns", evaluation.time_ns},
                {"duplicate", evaluation.duplicate},
                {"turned_down", evaluation.turned_down},
                {"verdict", evaluation.words.verdict}};
    }

    [[nodiscard]] Json told(const AgentCall& call) const {
        if (call.tool == Tool::lineage) {
            return lineage();
        }
        const ParentWords& words = call.of == "last" ? m_last_words : m_parent_words;
        return {{"type", "result"},
                {"tool", "profile"},
                {"verdict", words.verdict},
                {"bottleneck", words.bottleneck}};
    }

    static Json unchanged() {
        return {{"type", "error"}, {"what", "The program is the same as the parent."}};
    }

  private:
    [[nodiscard]] Json parent_json() const {
        return {{"id", m_base.id.text()},
                {"score", m_base.fitness},
                {"source", m_source},
                {"verdict", m_parent_words.verdict},
                {"bottleneck", m_parent_words.bottleneck}};
    }

    [[nodiscard]] Json lineage() const {
        Json exemplars = Json::array();
        Json rules = Json::array();
        Json memory = Json::array();
        if (m_in.material) {
            for (const ShownProgram& one : m_in.material->exemplars) {
                exemplars.push_back(program_json(one));
            }
            for (const FailureRule& rule : m_in.material->failure_rules) {
                rules.push_back({{"text", rule.text}, {"count", rule.count}});
            }
            memory = m_in.material->memory;
        }
        return {{"type", "result"},       {"tool", "lineage"},      {"steps", m_base.steps},
                {"exemplars", exemplars}, {"failure_rules", rules}, {"memory", memory}};
    }

    const OperatorInput& m_in;
    const ParentView& m_base;
    std::string m_source;  ///< of the parent, as it was shown
    ParentWords m_parent_words;
    ParentWords m_last_words;
    std::string m_line;  ///< the last message
    int m_evaluations_left;
    int m_turn = 0;
    int m_faults = 0;
};

// By value: a coroutine's reference parameters would dangle. And what is awaited is made of named
// values: g++ 12 destroys aggregates twice that are made inside of a co_await expression.
OperatorRun run_agent(OperatorInput in, std::shared_ptr<Prompts> prompts, AgentSettings settings) {
    Session session(in, settings);
    Json message = session.begin(settings.seconds);
    std::string trouble;
    for (bool last = false; !last;) {
        Question question{prompts->system(), session.line_of(std::move(message)), k_agent};
        last = session.is_last();
        ModelAnswer answer = co_await ask_model(std::move(question));
        if (!answer.text) {
            trouble = "the agent gave no answer";
            break;
        }
        const FromReply<AgentCall> call = agent_call_in(*answer.text);
        if (!call) {
            trouble = "the agent's last answer could not be read: " + call.error().words;
            message = session.fault(call.error());
            continue;
        }
        trouble.clear();
        if (call->tool == Tool::end) {
            trouble = "the agent ended" + (call->why.empty() ? "" : ": " + call->why);
            break;
        }
        if (call->tool != Tool::eval && call->tool != Tool::commit) {
            message = session.told(*call);
            continue;
        }
        if (!call->source.empty()) {
            std::optional<Proposal> proposal = session.proposal(*call, std::move(*answer.text));
            message = Session::unchanged();
            last = last || session.is_last_evaluation();
            if (proposal) {
                const Evaluation evaluation = co_await ask(std::move(*proposal));
                message = session.measured(evaluation);
            }
        }
        last = last || call->tool == Tool::commit;
    }
    co_await note_trouble(std::move(trouble));
}

}  // namespace

bool Agent::applicable(const Task&, const ParentView& base, const ParentView*) const {
    return base.fitness > 0 && !base.candidate.source.empty();
}

OperatorRun Agent::start(const OperatorInput& input) const {
    return run_agent(input, m_prompts, m_settings);
}

}  // namespace atl
