#pragma once

#include "mutators/prompts/shown_blocks.hpp"
#include "mutators/source_parts.hpp"
#include "population/individual.hpp"
#include "reward/base/rng.hpp"
#include "reward/candidate.hpp"
#include "reward/task.hpp"

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace atl {

struct PromptMaterial;

/// An operator's output before it is evaluated.
struct Proposal {
    Candidate candidate;
    std::string description;      ///< what was done, as one sentence
    std::vector<Parent> parents;  ///< empty: the ticket's parents
    std::string prompt;           ///< empty unless a model was asked
    std::string reply;
    std::string starter;        ///< the structure it descends from; empty: its base parent's
    double predicted_gain = 0;  ///< see Individual
};

/// What a model may be told of a verdict: parent_words().
struct ParentWords {
    std::string verdict;     ///< feedback_text() without the bottleneck
    std::string bottleneck;  ///< in a sentence; empty: not known
};

/// What the engine tells an operator about a proposal it asked to have evaluated.
struct Evaluation {
    bool correct = false;
    double fitness = 0;  ///< 0 when incorrect
    double time_ns = 0;
    bool duplicate = false;
    bool turned_down = false;  ///< not evaluated: it resembles a known one too much
    ParentWords words = {};    ///< of its verdict; empty where no model is asked
};

/// What an operator asks a language model: two messages, of which the first is the same for all
/// questions of a campaign. The engine chooses the model.
struct Question {
    std::string system;
    std::string user;
    std::string peer = {};  ///< whom to ask; empty: the ticket's model
};

struct ModelAnswer {
    std::optional<std::string> text;  ///< nullopt: there was none, and there will be none
};

/// A parent with its candidate text, as operators see it.
struct ParentView {
    IndividualId id;
    ParentRole role = ParentRole::base;
    Candidate candidate;
    double fitness = 0;
    std::string starter;
    std::shared_ptr<const SourceParts> parts;  ///< of its source; never nullptr
    KnobSetting setting;                       ///< where the candidate's knobs stand
    /// How it came about: the descriptions of its last ancestors along base parents and its own, at
    /// most k_shown_steps, the oldest first. Empty while a decision is taken.
    std::vector<std::string> steps = {};
};

inline constexpr std::size_t k_shown_steps = 4;

/// Fills in where the knobs stand.
[[nodiscard]] ParentView parent_view(IndividualId id, ParentRole role, Candidate candidate,
                                     double fitness, std::string starter,
                                     std::shared_ptr<const SourceParts> parts);

struct OperatorInput {
    TaskPtr task;
    std::vector<ParentView> parents;
    CounterRng rng;           ///< keyed by the ticket: the same ticket draws the same numbers
    int max_evaluations = 8;  ///< evaluations beyond this are refused by the engine
    /// Whether a candidate was measured before the ticket was issued (empty: nothing is known).
    /// Asking for a known one is answered from the record, so it costs no evaluation but tells
    /// nothing new.
    std::function<bool(const Candidate&)> known;
    /// The fitness of a known one, 0 for a wrong one; nullopt for others. May be empty.
    std::function<std::optional<double>(const Candidate&)> measured = {};
    /// candidate_key(), quicker for what was asked for lately. May be empty.
    std::function<Digest(const Candidate&)> key = {};
    /// For operators that ask a model; others leave them alone.
    std::vector<ParentWords> parent_words = {};  ///< of `parents`, in their order; may be fewer
    /// Failure rules and memory; its programs are not looked at: those are parents with their
    /// roles. nullptr: none.
    std::shared_ptr<const PromptMaterial> material = {};
    std::string strategy = {};       ///< an instruction that its prompts show; empty: none
    StepSize step = StepSize::none;  ///< how far from its base a child is to be
};

/// What a run is waiting for; nothing: it is finished.
using OperatorStep = std::variant<std::monostate, Proposal, Question>;

/// Asks of one run that are answered; duplicates, which cost no evaluation, included.
inline constexpr int k_max_asks = 64;

/// One application of an operator to parents: an ask/tell coroutine. Only the engine evaluates, and
/// only the engine asks models:
///
///     OperatorRun tune(OperatorInput in) {
///         Evaluation first = co_await ask(make_neighbour(in));
///         if (first.fitness < in.parents[0].fitness) { ... co_await ask(...); }
///     }
///     OperatorRun rewrite(OperatorInput in) {
///         ModelAnswer answer = co_await ask_model(question_about(in));
///         ... co_await ask(child_in(*answer.text));
///     }
///
///     OperatorRun run = op.start(input);
///     for (;;) {
///         OperatorStep step = run.step();
///         if (auto* proposal = std::get_if<Proposal>(&step)) { run.tell(evaluate(*proposal)); }
///         else if (auto* question = std::get_if<Question>(&step)) { run.tell(reply_to(*question));
///         } else { break; }
///     }
///
/// The coroutine must be deterministic given its input and what it is told: after kill -9 it is run
/// again and told the recorded evaluations and answers. Move-only; not thread-safe.
class OperatorRun {
  public:
    struct promise_type {
        OperatorStep step;
        Evaluation evaluation;
        ModelAnswer answer;
        std::string trouble;
        std::exception_ptr error;

        OperatorRun get_return_object() {
            return OperatorRun(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { error = std::current_exception(); }
    };

    struct Ask {
        Proposal proposal;
        promise_type* promise = nullptr;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> handle) {
            promise = &handle.promise();
            promise->step = std::move(proposal);
        }
        Evaluation await_resume() { return promise->evaluation; }
    };

    struct AskModel {
        Question question;
        promise_type* promise = nullptr;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> handle) {
            promise = &handle.promise();
            promise->step = std::move(question);
        }
        ModelAnswer await_resume() { return std::move(promise->answer); }
    };

    struct Trouble {
        std::string words;
        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<promise_type> handle) {
            handle.promise().trouble = std::move(words);
            return false;  // goes on at once
        }
        void await_resume() const noexcept {}
    };

    explicit OperatorRun(std::coroutine_handle<promise_type> handle) : m_handle(handle) {}
    OperatorRun(OperatorRun&& other) noexcept : m_handle(std::exchange(other.m_handle, {})) {}
    OperatorRun& operator=(OperatorRun&& other) noexcept {
        std::swap(m_handle, other.m_handle);
        return *this;
    }
    ~OperatorRun() {
        if (m_handle) {
            m_handle.destroy();
        }
    }

    /// Runs to the next ask. An exception from the operator's body is rethrown here.
    [[nodiscard]] OperatorStep step();
    /// The same for an operator that asks no model (a logic_error where one does); nullopt when it
    /// is finished.
    [[nodiscard]] std::optional<Proposal> next();
    /// Answers the proposal that step() or next() returned.
    void tell(const Evaluation& evaluation) { m_handle.promise().evaluation = evaluation; }
    /// Answers the question that step() returned.
    void tell(ModelAnswer answer) { m_handle.promise().answer = std::move(answer); }
    /// Why it proposed nothing (more), where it says so; for the record.
    [[nodiscard]] const std::string& trouble() const { return m_handle.promise().trouble; }

  private:
    std::coroutine_handle<promise_type> m_handle;
};

[[nodiscard]] inline OperatorRun::Ask ask(Proposal proposal) {
    return OperatorRun::Ask{std::move(proposal)};
}

[[nodiscard]] inline OperatorRun::AskModel ask_model(Question question) {
    return OperatorRun::AskModel{std::move(question)};
}

/// `co_await note_trouble("...")` before an operator ends without what it was asked for.
[[nodiscard]] inline OperatorRun::Trouble note_trouble(std::string words) {
    return OperatorRun::Trouble{std::move(words)};
}

/// Makes children from parents. Implementations are small value types registered by name in
/// mutators/operators/registry.cpp.
template <class T>
concept OperatorPolicy = std::copyable<T> &&
    requires(const T c, const OperatorInput& in, const Task& task, const ParentView& base,
             const ParentView* partner) {
    { c.name() } -> std::convertible_to<std::string>;
    { c.arity() } -> std::convertible_to<int>;  // parents it needs: 1 or 2
    /// Whether it can do anything with these parents; `partner` is nullptr when it needs but one.
    /// Asked for many pairs at each ticket: cheap, and no random numbers.
    { c.applicable(task, base, partner) } -> std::same_as<bool>;
    { c.start(in) } -> std::same_as<OperatorRun>;
    /// May be left out, which means false:
    ///     bool asks_model() const;  // the engine chooses a model and a strategy for its tickets
    ///     bool asks_peer() const;   // it asks somebody else (Question::peer)
    /// One that asks may also have `ShownBlocks shows() const`: what is to be chosen for
    /// its prompt. Without, nothing is.
};

/// An operator may say whether it works on wrong individuals, and on no others. Archives hold right
/// ones only, so such a one gets its bases from those that wait for a repair (IslandState::wrong),
/// at a share of the tickets of its own: search/decide.hpp.
template <class T>
concept MendingOperator = requires(const T c) {
    { c.mends_wrong() } -> std::same_as<bool>;
};

class Operator {
  public:
    template <class T>
    requires(!std::same_as<T, Operator> && OperatorPolicy<T>)  // a copy is no policy
        explicit Operator(T policy)
        : m_self(std::make_shared<Model<T>>(std::move(policy))) {}

    [[nodiscard]] std::string name() const { return m_self->name(); }
    [[nodiscard]] int arity() const { return m_self->arity(); }
    [[nodiscard]] bool mends_wrong() const { return m_self->mends_wrong(); }
    [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                  const ParentView* partner) const {
        return m_self->applicable(task, base, partner);
    }
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const {
        return m_self->start(input);
    }
    /// Whether its runs ask the ticket's model.
    [[nodiscard]] bool asks_model() const { return m_self->asks_model(); }
    [[nodiscard]] ShownBlocks shows() const { return m_self->shows(); }
    /// Whether its runs ask anybody: then they are told verdicts in words.
    [[nodiscard]] bool asks() const { return m_self->asks_model() || m_self->asks_peer(); }

  private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::string name() const = 0;
        [[nodiscard]] virtual int arity() const = 0;
        [[nodiscard]] virtual bool mends_wrong() const = 0;
        [[nodiscard]] virtual bool applicable(const Task&, const ParentView&,
                                              const ParentView*) const = 0;
        [[nodiscard]] virtual OperatorRun start(const OperatorInput&) const = 0;
        [[nodiscard]] virtual bool asks_model() const = 0;
        [[nodiscard]] virtual ShownBlocks shows() const = 0;
        [[nodiscard]] virtual bool asks_peer() const = 0;
    };
    template <class T>
    struct Model final : Base {
        explicit Model(T p) : policy(std::move(p)) {}
        [[nodiscard]] std::string name() const override { return policy.name(); }
        [[nodiscard]] int arity() const override { return policy.arity(); }
        [[nodiscard]] bool mends_wrong() const override {
            if constexpr (MendingOperator<T>) {
                return policy.mends_wrong();
            }
            return false;
        }
        [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                      const ParentView* partner) const override {
            return policy.applicable(task, base, partner);
        }
        [[nodiscard]] OperatorRun start(const OperatorInput& input) const override {
            return policy.start(input);
        }
        [[nodiscard]] bool asks_model() const override {
            if constexpr (requires {
                              { policy.asks_model() } -> std::convertible_to<bool>;
                          }) {
                return policy.asks_model();
            }
            return false;
        }
        [[nodiscard]] ShownBlocks shows() const override {
            if constexpr (requires { policy.shows(); }) {
                return policy.shows();
            } else {
                return {};
            }
        }
        [[nodiscard]] bool asks_peer() const override {
            if constexpr (requires {
                              { policy.asks_peer() } -> std::convertible_to<bool>;
                          }) {
                return policy.asks_peer();
            }
            return false;
        }
        T policy;
    };
    std::shared_ptr<const Base> m_self;
};

}  // namespace atl
