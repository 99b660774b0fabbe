#include "population/lineage/text_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace atl {

std::string text_chart(const std::vector<ChartPoint>& points, const ChartOptions& options) {
    if (points.empty()) {
        return {};
    }
    const int width = std::max(10, options.width);
    const int height = std::max(2, options.height);
    const auto by_y = [](const ChartPoint& a, const ChartPoint& b) { return a.y < b.y; };
    const auto [lowest, highest] = std::minmax_element(points.begin(), points.end(), by_y);
    const double low = lowest->y;
    const double span = highest->y > low ? highest->y - low : 1;
    const double first = points.front().x;
    const double range = points.back().x > first ? points.back().x - first : 1;

    std::vector<std::string> rows(static_cast<std::size_t>(height),
                                  std::string(static_cast<std::size_t>(width), ' '));
    const auto row_of = [&](double y) {
        return height - 1 - static_cast<int>(std::lround((y - low) / span * (height - 1)));
    };
    std::size_t next = 0;
    int previous = -1;
    for (int column = 0; column < width; ++column) {
        const double x = first + range * column / (width - 1);
        while (next < points.size() && points[next].x <= x * (1 + 1e-12)) {
            ++next;
        }
        const int row = row_of(points[next == 0 ? 0 : next - 1].y);
        const auto at = static_cast<std::size_t>(column);
        for (int between = row + 1; previous >= 0 && between < previous; ++between) {
            rows[static_cast<std::size_t>(between)][at] = '|';
        }
        rows[static_cast<std::size_t>(row)][at] = '*';
        previous = row;
    }

    std::string text = options.y_label.empty() ? "" : options.y_label + "\n";
    for (int row = 0; row < height; ++row) {
        const double y = low + span * (height - 1 - row) / (height - 1);
        const bool flat = highest->y == low;  // then one number is all there is to say
        const bool labelled = row == height - 1 || (!flat && (row == 0 || row == height / 2));
        std::string& cells = rows[static_cast<std::size_t>(row)];
        cells.erase(cells.find_last_not_of(' ') + 1);
        text += fmt::format("{:>9} |{}\n", labelled ? fmt::format("{:.4g}", y) : "", cells);
    }
    const std::string left = fmt::format("{:.6g}", first);
    const std::string right = fmt::format("{:.6g}", points.back().x);
    text += fmt::format("{:>9} +{}\n", "", std::string(static_cast<std::size_t>(width), '-'));
    text += fmt::format("{:>9}  {}{:>{}}\n", "", left,
                        options.x_label.empty() ? right : options.x_label + " " + right,
                        std::max(0, width - static_cast<int>(left.size())));
    return text;
}

}  // namespace atl
