#pragma once

#include <string>
#include <vector>

namespace atl {

struct ChartPoint {
    double x = 0;
    double y = 0;
};

struct ChartOptions {
    int width = 60;   ///< columns of the plot area, at least 10
    int height = 10;  ///< rows, at least 2
    std::string x_label;
    std::string y_label;
};

/// A staircase chart in plain ASCII for terminals and logs: y keeps its value until the next point.
/// `points` sorted by x, finite; the last one marks the end of the x axis. Empty text for no
/// points.
[[nodiscard]] std::string text_chart(const std::vector<ChartPoint>& points,
                                     const ChartOptions& options);

}  // namespace atl
