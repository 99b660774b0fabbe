// Ranges, spans and projections.
// expect: passed

#include <algorithm>
#include <ranges>
#include <span>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i : std::views::iota(0L, static_cast<long>(rows))) {
        const std::span<const float> row(x + i * cols, cols);
        double sum = 0;
        std::ranges::for_each(row, [&](double value) { sum += value; });
        std::ranges::transform(row, std::span(bias, cols), y + i * cols, [&](float a, float b) {
            return static_cast<float>(alpha * a + b + sum / cols);
        });
    }
}
