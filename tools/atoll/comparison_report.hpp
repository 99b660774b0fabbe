#pragma once

#include "tools/atoll/comparison.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace atl {

/// Two recipes against each other, by the area under the curve and by the best at the end.
struct ComparedPair {
    std::size_t first = 0;
    std::size_t second = 0;
    RankTest area;
    RankTest last;
    double area_p = 1;  ///< Holm-corrected over all pairs
    double last_p = 1;
};

struct Comparison {
    std::string task;
    std::uint64_t budget = 0;
    std::vector<ComparedRecipe> recipes;  ///< of at least one run each
    std::vector<std::string> notes;

    [[nodiscard]] std::vector<ComparedPair> pairs() const;
};

/// The curves' shape in a table of at most six columns, the sums, the tests, and how they were
/// computed.
[[nodiscard]] std::string comparison_text(const Comparison& comparison);
/// The same with everything, tools/README.md lists the keys.
[[nodiscard]] std::string comparison_json(const Comparison& comparison,
                                          const std::filesystem::path& plot);
/// The curves with their bands, as an SVG document.
[[nodiscard]] std::string comparison_svg(const Comparison& comparison);

}  // namespace atl
