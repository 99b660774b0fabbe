#pragma once

#include "reward/base/error.hpp"
#include "reward/base/settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// The table [agent] of a config: a process, or a peer on a socket, that makes candidates by itself
/// (mutators/README.md, "Agents").
struct AgentSettings {
    std::vector<std::string> command;  ///< program and arguments; empty: none
    std::string address;               ///< "unix:PATH" or "tcp://HOST:PORT"; empty: none
    double seconds = 600;              ///< of one session
    std::int64_t evaluations = 8;      ///< of one session, within those of its ticket

    [[nodiscard]] bool is_set() const { return !command.empty() || !address.empty(); }
};

void declare(AgentSettings& settings, SettingVisitor& visitor);

/// invalid_argument where both command and address are given, or the address is none.
[[nodiscard]] Status check_agent_settings(const AgentSettings& settings);

/// What Question::peer and ChatRequest::model say of questions to the agent.
inline constexpr const char* k_agent = "agent";

}  // namespace atl
