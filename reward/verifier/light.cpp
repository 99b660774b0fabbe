#include "reward/verifier/light.hpp"

#include "reward/expression.hpp"
#include "reward/statistics.hpp"

#include <algorithm>

namespace atl {

namespace {

constexpr double k_margin = 0.8;
constexpr double k_narrow_factor = 4;
constexpr double k_second_ns = 1e9;

Expected<double> work(const std::string& expression, const BoundWorkload& workload) {
    if (expression.empty()) {
        return 0;
    }
    return evaluate_expression(expression, workload.axes);
}

double time_ns(double amount, double peak) {
    return peak > 0 ? std::max(amount, 0.0) / peak * k_second_ns : 0;
}

}  // namespace

Expected<SpeedOfLight> speed_of_light(const TaskLayout& layout, const BoundWorkload& workload,
                                      const EvaluateOrder& order) {
    ATOLL_TRY_ASSIGN(const double flops, work(layout.task().flops, workload));
    ATOLL_TRY_ASSIGN(const double bytes, work(layout.task().bytes, workload));
    // A peak of single precision says little where a machine does more of a narrower type.
    bool narrow = false;
    for (std::size_t i = 0; i < layout.tensors(); ++i) {
        narrow = narrow ||
                 (!order.peak_is_of_type && size_of(layout.tensor(i).dtype) < size_of(DType::f32));
    }
    const double compute_ns = time_ns(flops, order.peak_flops);
    double written = 0;
    for (std::size_t i = layout.tensor_inputs(); i < layout.tensors(); ++i) {
        written += static_cast<double>(workload.bytes[i]);
    }
    const double uncached = bytes - std::min(written, static_cast<double>(order.cache_bytes));
    SpeedOfLight light;
    light.compute_ns = compute_ns;
    light.memory_ns = time_ns(bytes, order.peak_bandwidth);
    light.report_ns = std::max(light.compute_ns, light.memory_ns);
    const double least_ns = order.most_flops > 0 ? time_ns(flops, order.most_flops) : compute_ns;
    light.judge_ns = k_margin * std::max(least_ns / (narrow ? k_narrow_factor : 1),
                                         time_ns(uncached, order.peak_bandwidth));
    return light;
}

bool beats_light(std::span<const double> raw_ns, std::span<const double> counted_ns,
                 double judge_ns) {
    return !raw_ns.empty() && median(raw_ns) < judge_ns && median(counted_ns) < judge_ns;
}

}  // namespace atl
