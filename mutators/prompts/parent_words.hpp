#pragma once

#include "mutators/operator.hpp"
#include "reward/feedback.hpp"

namespace atl {

/// What a model may be told of a verdict. What was seen on hidden workloads is removed. The
/// bottleneck stands apart, since prompts have a block for it.
[[nodiscard]] ParentWords parent_words(const Verdict& verdict, const BaselineTimes& baseline);

}  // namespace atl
