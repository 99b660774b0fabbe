#pragma once

#include "mutators/prompts/prompt_material.hpp"
#include "reward/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What a model is told beside programs, chosen when its ticket was issued and recorded with it
/// (TicketIssued::memory), so that a ticket that is run again tells the same.
struct ShownMemory {
    std::vector<FailureRule> failure_rules;
    std::vector<std::string> items;  ///< the most useful first
    [[nodiscard]] bool empty() const { return failure_rules.empty() && items.empty(); }
};

/// {"failure_rules": [{"text", "count"}], "memory": ["..."]}. Empty for an empty one. Readers check
/// every field (corrupt, limit).
[[nodiscard]] std::string to_json(const ShownMemory& memory);
[[nodiscard]] Expected<ShownMemory> parse_shown_memory(std::string_view json);

}  // namespace atl
