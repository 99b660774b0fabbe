#include "tools/atoll/comparison_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace atl {

namespace {

constexpr double k_width = 860;
constexpr double k_height = 480;
constexpr double k_left = 70;
constexpr double k_right = 200;  // for the legend
constexpr double k_top = 40;
constexpr double k_bottom = 50;
constexpr std::size_t k_most_points = 400;  // a curve's; more cannot be told apart

// Okabe and Ito's colours, which colour-blind people can tell apart.
constexpr const char* k_colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                     "#e69f00", "#56b4e9", "#000000", "#8c8c00"};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
    }
    return out;
}

/// From values to places on the page.
struct Scale {
    double budget = 1;
    double low = 0;
    double high = 1;

    [[nodiscard]] double x(double evaluations) const {
        return k_left + (k_width - k_left - k_right) * evaluations / budget;
    }
    [[nodiscard]] double y(double value) const {
        return k_top + (k_height - k_top - k_bottom) * (high - value) / (high - low);
    }
};

/// 1, 2 or 5 times a power of ten, so that there are about five steps.
double step_of(double range) {
    const double rough = range / 5;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= rough) {
            return factor * power;
        }
    }
    return 10 * power;
}

Scale scale_of(const Comparison& comparison, const std::vector<std::vector<Estimate>>& curves) {
    Scale scale{static_cast<double>(comparison.budget), 0, 0};
    for (const auto& curve : curves) {
        for (const Estimate& estimate : curve) {
            scale.low = std::min(scale.low, estimate.low);
            scale.high = std::max(scale.high, estimate.high);
        }
    }
    if (!(scale.high > scale.low)) {
        scale.high = scale.low + 1;
    }
    return scale;
}

std::string axes(const Scale& scale) {
    std::string svg;
    const double y_step = step_of(scale.high - scale.low);
    for (double tick = std::ceil(scale.low / y_step) * y_step; tick <= scale.high * 1.000001;
         tick += y_step) {
        const double y = scale.y(tick);
        svg += fmt::format(
            "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"#ddd\"/>\n"
            "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.4g}</text>\n",
            k_left, y, k_width - k_right, k_left - 6, y + 4,
            std::abs(tick) < y_step / 2 ? 0 : tick);
    }
    const double x_step = std::max(1.0, step_of(scale.budget));
    for (double tick = 0; tick <= scale.budget * 1.000001; tick += x_step) {
        svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g}</text>\n",
                           scale.x(tick), k_height - k_bottom + 18, tick);
    }
    svg += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\" fill=\"none\" stroke=\"#444\"/>\n"
        "<text x=\"{4:.1f}\" y=\"{5:.1f}\" text-anchor=\"middle\">evaluations</text>\n",
        k_left, k_top, k_height - k_bottom, k_width - k_right, (k_left + k_width - k_right) / 2,
        k_height - 10);
    return svg;
}

std::vector<std::size_t> points_of(std::size_t length) {
    const std::size_t stride = std::max<std::size_t>(1, length / k_most_points);
    std::vector<std::size_t> points;
    for (std::size_t i = 0; i < length; i += stride) {
        points.push_back(i);
    }
    if (!points.empty() && points.back() + 1 != length) {
        points.push_back(length - 1);
    }
    return points;
}

std::string curve_svg(const std::vector<Estimate>& curve, const Scale& scale, const char* colour) {
    const std::vector<std::size_t> points = points_of(curve.size());
    std::string line;
    std::string upper;
    std::string lower;
    for (const std::size_t i : points) {
        const double x = scale.x(static_cast<double>(i + 1));
        line += fmt::format("{:.1f},{:.1f} ", x, scale.y(curve[i].mean));
        upper += fmt::format("{:.1f},{:.1f} ", x, scale.y(curve[i].high));
        lower = fmt::format("{:.1f},{:.1f} ", x, scale.y(curve[i].low)) + lower;
    }
    return fmt::format(
        "<polygon points=\"{0}{1}\" fill=\"{2}\" fill-opacity=\"0.15\"/>\n"
        "<polyline points=\"{3}\" fill=\"none\" stroke=\"{2}\" stroke-width=\"2\"/>\n",
        upper, lower, colour, line);
}

}  // namespace

std::string comparison_svg(const Comparison& comparison) {
    std::vector<std::vector<Estimate>> curves;
    for (const ComparedRecipe& recipe : comparison.recipes) {
        curves.push_back(mean_curve(recipe));
    }
    const Scale scale = scale_of(comparison, curves);
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
        "{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        "<text x=\"{2}\" y=\"20\" font-size=\"14\">{3}: best so far, mean and 95 % interval over "
        "{4} seeds</text>\n",
        k_width, k_height, k_left, escaped(comparison.task),
        comparison.recipes.empty() ? 0 : comparison.recipes.front().runs.size());
    svg += axes(scale);
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const char* colour = k_colours[i % std::size(k_colours)];
        const double y = k_top + 10 + 20 * static_cast<double>(i);
        svg += curve_svg(curves[i], scale, colour);
        svg += fmt::format(
            "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"{3}\" "
            "stroke-width=\"3\"/>\n<text x=\"{4:.1f}\" y=\"{5:.1f}\">{6}</text>\n",
            k_width - k_right + 14, y, k_width - k_right + 34, colour, k_width - k_right + 40,
            y + 4, escaped(comparison.recipes[i].name));
    }
    return svg + "</svg>\n";
}

}  // namespace atl
