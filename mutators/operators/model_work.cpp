#include "mutators/operators/model_work.hpp"

#include "mutators/replies/ideas.hpp"
#include "mutators/replies/reply_text.hpp"
#include "reward/source_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace atl {

namespace {

ShownProgram shown(const ParentView& parent, const ParentWords& words) {
    return {parent.id.text(),
            parent.fitness,
            parent.candidate.tune.empty()
                ? parent.candidate.source
                : apply_tune_to_text(parent.candidate.source, parent.candidate.tune),
            words.verdict,
            words.bottleneck,
            parent.steps};
}

constexpr std::size_t k_longest_shown_reply = 8 << 10;

/// What the next prompt shows of a reply that was no child; nothing where it is no text.
std::string shown_reply(const std::string& reply) {
    const std::string begin(shortened(reply, k_longest_shown_reply));
    return check_source(begin) ? begin : std::string();
}

/// A description is one sentence.
std::string in_a_line(const std::string& text) {
    std::string line(shortened(text, k_longest_said));
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

PromptMaterial material_of(const OperatorInput& in) {
    PromptMaterial material = in.material ? *in.material : PromptMaterial{};
    material.exemplars.clear();
    material.inspirations.clear();
    material.partner.reset();
    material.attempt.reset();
    material.plan.clear();
    material.original.reset();
    material.strategy = in.strategy;
    material.step = in.step;
    for (std::size_t i = 0; i < in.parents.size(); ++i) {
        const ParentWords words = i < in.parent_words.size() ? in.parent_words[i] : ParentWords{};
        ShownProgram program = shown(in.parents[i], words);
        if (i == 0) {
            material.parent = std::move(program);
        } else if (in.parents[i].role == ParentRole::partner) {
            material.partner = std::move(program);
        } else if (in.parents[i].role == ParentRole::exemplar) {
            material.exemplars.push_back(std::move(program));
        } else {
            material.inspirations.push_back(std::move(program));
        }
    }
    return material;
}

/// One run: what is asked next, and what has been spent.
class Conversation {
  public:
    Conversation(const OperatorInput& in, ModelWork work)
        : m_in(in), m_work(std::move(work)), m_material(material_of(in)) {
        m_retries_left = m_work.budget.retries;
        m_repairs_left = m_work.budget.repairs;
        m_material.original = m_work.original;
        m_partner = m_material.partner ? m_material.partner->id : "";
        m_planning = !m_work.plan_prompt.empty();
    }

    [[nodiscard]] Expected<Prompt> prompt() const {
        const std::string& name = m_planning ? m_work.plan_prompt : m_work.prompt;
        return m_work.prompts->make(name, m_material, m_work.budget.prompt_tokens);
    }

    /// Whether the next reply is to give ideas.
    [[nodiscard]] bool is_planning() const { return m_planning; }

    /// Chooses among the reply's ideas. False: it has a fault, which the next prompt tells.
    bool plan(const std::string& reply) {
        const FromReply<std::vector<Idea>> ideas = ideas_in_reply(reply);
        if (!ideas) {
            set_fault(ideas.error(), reply);
            return false;
        }
        const std::size_t chosen = most_promising(*ideas);
        const Idea& idea = (*ideas)[chosen];
        m_material.plan = idea.text;
        m_material.partner.reset();  // its strategy is in the plan
        m_material.attempt.reset();
        m_material.strategy.clear();  // what the ideas made of it is in the plan
        m_material.step = StepSize::none;
        m_predicted_gain = idea.gain;
        m_planned = fmt::format("; plan {} of {}, predicted gain {:g}: {}", chosen + 1,
                                ideas->size(), idea.gain, in_a_line(idea.text));
        m_retries_left = m_work.budget.retries;
        m_planning = false;
        return true;
    }

    /// The child; nullopt: the reply has a fault, which the next prompt tells.
    std::optional<Proposal> read(const Prompt& prompt, std::string reply) {
        FromReply<Candidate> child = child_in(reply);
        if (!child) {
            set_fault(child.error(), reply);
            return std::nullopt;
        }
        Proposal proposal;
        proposal.candidate = std::move(*child);
        proposal.description = description(reply);
        proposal.prompt = whole_prompt(prompt);
        proposal.predicted_gain = m_predicted_gain;
        proposal.starter = m_work.original ? m_work.original->name : "";
        proposal.reply = std::move(reply);
        m_child = proposal.candidate.source;
        return proposal;
    }

    /// Whether the model is asked once more after a fault.
    bool tries_again() { return m_retries_left-- > 0; }

    [[nodiscard]] std::string trouble() const {
        const std::string words = m_fault.words.substr(0, m_fault.words.find('\n'));
        return std::string("no child in the reply (") + to_string(m_fault.kind) + "): " + words;
    }

    /// Whether the child goes back to the model; then the next prompt shows it.
    bool repairs(const Evaluation& evaluation) {
        ++m_evaluations;
        if (evaluation.correct || evaluation.duplicate || evaluation.turned_down ||
            m_repairs_left == 0 || m_evaluations >= m_in.max_evaluations) {
            return false;
        }
        --m_repairs_left;
        m_retries_left = m_work.budget.retries;
        m_work.prompt = "repair";
        m_work.parse = parse_whole_source;
        m_work.name = "repair";
        m_work.labels = {"Change"};
        const std::string id = m_work.original ? m_work.original->name + ", translated"
                                               : m_material.parent.id + ", changed";
        m_material.parent = {id, 0, std::exchange(m_child, {}), evaluation.words.verdict, ""};
        m_material.partner.reset();
        m_partner.clear();
        m_material.attempt.reset();
        m_material.strategy.clear();  // what is wrong comes first
        m_material.step = StepSize::none;
        return true;
    }

  private:
    void set_fault(const ReplyFault& fault, const std::string& reply) {
        m_fault = fault;
        m_material.attempt = FailedAttempt{shown_reply(reply), m_fault.words};
    }

    [[nodiscard]] Candidate candidate_of(std::string source) const {
        const Candidate& base = m_in.parents.at(0).candidate;
        const std::vector<std::string> none;
        return {base.kind, std::move(source), {}, m_work.original ? none : base.flags};
    }

    [[nodiscard]] Digest key_of(const Candidate& candidate) const {
        return m_in.key ? m_in.key(candidate) : candidate_key(candidate);
    }

    [[nodiscard]] FromReply<Candidate> child_in(std::string_view reply) const {
        FromReply<std::string> source = m_work.parse(m_material.parent, m_in.task->kind, reply);
        if (!source) {
            return tl::unexpected<ReplyFault>(std::move(source.error()));
        }
        Candidate child = candidate_of(std::move(*source));
        if (key_of(child) == key_of(candidate_of(m_material.parent.source))) {
            return reply_fault(ReplyFault::Kind::no_change,
                               "The program is the same as the one above.");
        }
        if (m_in.known && m_in.known(child)) {
            return reply_fault(ReplyFault::Kind::no_change,
                               "This program was measured before: write another one.");
        }
        return child;
    }

    [[nodiscard]] std::string description(std::string_view reply) const {
        std::string text = m_work.name + " of ";
        text += m_work.original && m_work.name != "repair" ? m_work.original->name + " against "
                                                           : std::string();
        text += m_material.parent.id;
        text += m_partner.empty() ? "" : " with " + m_partner;
        for (const std::string& label : m_work.labels) {
            const std::string said = said_in_reply(reply, label);
            if (!said.empty()) {
                text += (label == "Change" ? ": " : "; " + label + ": ") + said;
            }
        }
        return text + m_planned;
    }

    const OperatorInput& m_in;
    ModelWork m_work;
    PromptMaterial m_material;
    ReplyFault m_fault;
    std::string m_child;    ///< the source that is being evaluated
    std::string m_partner;  ///< its id
    std::string m_planned;  ///< of the plan, for descriptions
    double m_predicted_gain = 0;
    bool m_planning = false;
    int m_retries_left = 0;
    int m_repairs_left = 0;
    int m_evaluations = 0;
};

}  // namespace

FromReply<std::string> parse_whole_source(const ShownProgram&, const std::string& kind,
                                          std::string_view reply) {
    return source_in_reply(reply, kind);
}

// By value: a coroutine's reference parameters would dangle. And what is awaited is made of named
// values: g++ 12 destroys aggregates twice that are made inside of a co_await expression.
OperatorRun run_model_work(OperatorInput in, ModelWork work) {
    Conversation conversation(in, std::move(work));
    std::string trouble;
    while (trouble.empty()) {
        Expected<Prompt> prompt = conversation.prompt();
        if (!prompt) {
            trouble = prompt.error().message();
            break;
        }
        Question question{prompt->system, prompt->user};
        ModelAnswer answer = co_await ask_model(std::move(question));
        if (!answer.text) {
            trouble = "the model gave no answer";
            break;
        }
        if (conversation.is_planning()) {
            const bool planned = conversation.plan(*answer.text);
            trouble = planned || conversation.tries_again() ? "" : conversation.trouble();
            continue;
        }
        std::optional<Proposal> proposal = conversation.read(*prompt, std::move(*answer.text));
        if (!proposal) {
            trouble = conversation.tries_again() ? "" : conversation.trouble();
            continue;
        }
        const Evaluation evaluation = co_await ask(std::move(*proposal));
        if (!conversation.repairs(evaluation)) {
            co_return;
        }
    }
    co_await note_trouble(std::move(trouble));
}

}  // namespace atl
