#pragma once

#include <cstddef>
#include <string_view>

namespace atl {

/// How many tokens a text has, about: bytes / 3, rounded up. No tokenizer: each model has its own.
/// Measured with those of GPT-4 (cl100k), GPT-4o (o200k), DeepSeek and Claude 2 on the 117 starters
/// of experiments/tasks and the two contracts of reward/README.md: the true count is 78 to 112 % of
/// it (bytes per token 2.7 to 3.9; over all CUDA starters 3.2 to 3.4). Text that is mostly not
/// ASCII has more tokens than this.
[[nodiscard]] constexpr std::size_t estimated_tokens(std::string_view text) {
    return (text.size() + 2) / 3;
}

}  // namespace atl
