#include "mutators/model/back_off.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace atl {

std::chrono::milliseconds BackOff::pause(int attempt, std::optional<std::chrono::seconds> asked,
                                         double draw) const {
    const auto whole = [](double ms) {
        return std::chrono::milliseconds(static_cast<std::int64_t>(ms));
    };
    if (asked) {
        return std::chrono::milliseconds(*asked) + whole(draw * static_cast<double>(first.count()));
    }
    const double doubled = std::ldexp(static_cast<double>(first.count()), attempt - 1);
    const double most = std::min(doubled, static_cast<double>(longest.count()));
    return whole(most * (0.5 + 0.5 * draw));
}

}  // namespace atl
