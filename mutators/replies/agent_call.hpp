#pragma once

#include "mutators/replies/reply_fault.hpp"

#include <string>
#include <string_view>

namespace atl {

/// What an agent asks for, as one line of JSON: an object with "tool" and what that tool takes.
struct AgentCall {
    enum class Tool {
        eval,     ///< "source", and maybe "change": measures a program
        profile,  ///< "of" ("parent" or "last"): verdict and bottleneck
        lineage,  ///< how the parent came about, exemplars, what failed, what was learned
        commit,   ///< done; maybe with "source" and "change": measures that program first
        end,      ///< gives up; maybe with "why"
    };
    Tool tool = Tool::end;
    std::string source;  ///< checked (check_source()); empty: none
    std::string change;  ///< one line, at most k_longest_said bytes
    std::string of = "parent";
    std::string why;  ///< likewise
};

/// A fault (malformed, limit, not_text) says what is wrong: no object, an unknown tool, a field
/// that the tool does not take, is missing or of another type.
[[nodiscard]] FromReply<AgentCall> agent_call_in(std::string_view line);

}  // namespace atl
