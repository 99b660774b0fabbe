#include "reward/verifier/case_words.hpp"

#include <fmt/format.h>

namespace atl {

const char* distribution_name(const TaskLayout& layout, std::size_t distribution) {
    const auto& all = layout.task().distributions;
    return distribution < all.size() ? all[distribution].name.c_str() : "default";
}

CandidateFault fault_of_comparison(const TensorSpec& output, const Comparison& result,
                                   bool never_written, const std::string& where, bool hidden) {
    const std::string element = fmt::format("{}[{}]", output.name, result.first_bad_index);
    if (hidden) {
        return {result.non_finite && !never_written ? Outcome::non_finite : Outcome::wrong_result,
                "wrong on " + where};
    }
    const std::string share = fmt::format("; {:.4g} % of {} is wrong, on {}",
                                          100 * (1 - result.matched_ratio), output.name, where);
    if (never_written) {
        return {Outcome::wrong_result, element + " was never written" + share};
    }
    return {
        result.non_finite ? Outcome::non_finite : Outcome::wrong_result,
        fmt::format("{} is {:.9g} instead of {:.9g}{}", element, result.got, result.want, share)};
}

std::string describe_case(const TaskLayout& layout, std::size_t workload,
                          std::size_t distribution) {
    const Workload& described = *layout.workloads()[workload].workload;
    if (described.hidden) {
        return "a hidden workload";
    }
    std::string axes;
    for (const auto& [name, value] : described.axes) {
        axes += fmt::format("{}{}={}", axes.empty() ? "" : ", ", name, value);
    }
    return fmt::format("workload {} ({}), inputs '{}'", described.id, axes,
                       distribution_name(layout, distribution));
}

}  // namespace atl
