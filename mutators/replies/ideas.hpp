#pragma once

#include "mutators/replies/reply_fault.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What a model thinks of doing, and what it expects of it.
struct Idea {
    std::string text;  ///< UTF-8 without control characters but '\n'; not blank
    double gain = 0;   ///< predicted: time now over the time then; above 0, to k_largest_gain
};

inline constexpr std::size_t k_max_ideas = 8;
inline constexpr std::size_t k_longest_idea = 2000;  ///< bytes
inline constexpr double k_largest_gain = 1000;

/// The ideas of a reply's answer, in its order, as models are asked for them:
///
///     Idea: what to change
///     Gain: 1.25
///
/// Case, bullets, asterisks, fences and numbers ("2. **Idea 2:**") do not count, nor does an "x"
/// behind a gain. An idea may go on over lines up to its gain; beyond k_longest_idea it is cut
/// short. A fault where there is none, an idea has no gain or a gain no idea, a gain is no number
/// in its range, or there are more than k_max_ideas. Linear-time.
[[nodiscard]] FromReply<std::vector<Idea>> ideas_in_reply(std::string_view reply);

/// The index of the idea with the largest gain; of equal ones the first. REQUIRES any.
[[nodiscard]] std::size_t most_promising(const std::vector<Idea>& ideas);

}  // namespace atl
