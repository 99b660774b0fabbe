#include "search/intensity.hpp"

#include <cmath>

namespace atl {

namespace {

constexpr double k_epsilon = 1e-8;

}  // namespace

const std::vector<std::string>& intensity_names() {
    static const std::vector<std::string> names = {"none", "improvement"};
    return names;
}

double exploring_share(const IslandState& island, double heat, const IntensitySettings& settings) {
    const double own = settings.name == "none"
                           ? 0
                           : settings.low + (settings.high - settings.low) /
                                                (1 + std::sqrt(island.gain + k_epsilon));
    return 1 - (1 - own) / heat;
}

}  // namespace atl
