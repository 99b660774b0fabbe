#pragma once

#include "mutators/prompts/prompt_material.hpp"

#include <optional>
#include <string>

namespace atl {

/// Leaves out of `material` what a prompt that is too long can do without best, and says what that
/// was; nullopt when nothing is left that may go. In this order:
///
///  1. inspirations, the last first
///  2. memory, the last first
///  3. exemplars: the one in the middle by score, so that best and worst stay longest
///  4. failure rules, the least frequent first
///  5. the reply of a failed attempt: only what was wrong with it stays
///  6. the partner's verdict
///  7. the parent's verdict beyond its first 600 bytes
///
/// Task, contract, hardware, the parent's and the partner's code, and the parent's bottleneck
/// always stay.
[[nodiscard]] std::optional<std::string> trim_once(PromptMaterial& material);

}  // namespace atl
