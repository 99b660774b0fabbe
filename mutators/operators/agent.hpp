#pragma once

#include "mutators/agent_settings.hpp"
#include "mutators/operator.hpp"
#include "mutators/prompts/prompts.hpp"

#include <memory>
#include <string>
#include <utility>

namespace atl {

inline constexpr int k_max_agent_turns = 64;  ///< messages of one session
inline constexpr int k_max_agent_faults = 8;  ///< answers of one session that could not be read

/// "agent": lets a process or a peer on a socket make candidates by itself. Each message to it and
/// each of its answers is a question and an answer like a model's (Question::peer), so a replay
/// needs no agent. What it had evaluated are the ticket's children; that it commits only ends the
/// session. The protocol: mutators/README.md, "Agents".
class Agent {
  public:
    Agent(std::shared_ptr<Prompts> prompts, AgentSettings settings)
        : m_prompts(std::move(prompts)), m_settings(std::move(settings)) {}

    [[nodiscard]] std::string name() const { return k_agent; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool asks_peer() const { return true; }
    /// What its tool "lineage" tells.
    [[nodiscard]] ShownBlocks shows() const { return {true, false, true}; }
    [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                  const ParentView* partner) const;
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const;

  private:
    std::shared_ptr<Prompts> m_prompts;
    AgentSettings m_settings;
};

}  // namespace atl
