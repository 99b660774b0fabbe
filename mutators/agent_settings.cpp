#include "mutators/agent_settings.hpp"

#include "mutators/model/agent_peer.hpp"

namespace atl {

void declare(AgentSettings& settings, SettingVisitor& visitor) {
    visitor.texts("agent.command", settings.command,
                  "Program, with its arguments, that the operator \"agent\" starts for each of its "
                  "tickets; it speaks JSON lines on its standard input and output "
                  "(mutators/README.md, \"Agents\"). It gets PATH, HOME, LANG and TMPDIR of the "
                  "environment and nothing else.");
    visitor.text("agent.address", settings.address,
                 "Where an agent that runs by itself is connected to, once for each ticket: "
                 "unix:PATH or tcp://HOST:PORT; instead of agent.command.");
    visitor.real(
        "agent.seconds", settings.seconds, {0.1, 86'400},
        "Seconds that an agent may take for a ticket, its evaluations included; then it is "
        "killed, and what it had evaluated is kept.");
    visitor.integer("agent.evaluations", settings.evaluations, {1, 60},
                    "Evaluations that an agent may ask for in a ticket, within "
                    "engine.ticket_evaluations.");
}

Status check_agent_settings(const AgentSettings& settings) {
    if (!settings.command.empty() && !settings.address.empty()) {
        return failure(ErrorCode::invalid_argument, "agent.command and agent.address are both set",
                       {}, "an agent is either started or connected to");
    }
    if (!settings.command.empty() && settings.command.front().empty()) {
        return failure(ErrorCode::invalid_argument, "agent.command names no program");
    }
    return settings.address.empty() ? Status() : check_agent_address(settings.address);
}

}  // namespace atl
