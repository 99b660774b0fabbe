#include "reward/gpu_timing_json.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using nlohmann::json;

constexpr std::size_t k_max_samples = 1'000'000;
constexpr std::size_t k_max_kernels = 4096;
constexpr std::size_t k_max_name = 16 << 10;  // mangled names of templates are long
constexpr std::size_t k_max_reasons = 16;

json numbers_to_json(const std::vector<double>& numbers) {
    json array = json::array();
    for (const double number : numbers) {
        array.push_back(number_to_json(number));
    }
    return array;
}

}  // namespace

json gpu_timing_to_json(const GpuTiming& timing) {
    json kernels = json::array();
    for (const KernelShare& kernel : timing.kernels) {
        kernels.push_back({{"name", kernel.name},
                           {"launches", number_to_json(kernel.launches)},
                           {"share", number_to_json(kernel.share)}});
    }
    return {{"clock", timing.clock},
            {"kernels", std::move(kernels)},
            {"anchors_ns", numbers_to_json(timing.anchors_ns)},
            {"clocks_mhz", numbers_to_json(timing.clocks_mhz)},
            {"throttling", timing.throttling},
            {"measured_light_ns", number_to_json(timing.measured_light_ns)}};
}

Expected<GpuTiming> gpu_timing_from_json(const json& value, const std::string& where) {
    GpuTiming timing;
    JsonReader reader(value, where + ".gpu");
    const json* kernels = reader.array("kernels", k_max_kernels);
    for (std::size_t i = 0; kernels != nullptr && i < kernels->size(); ++i) {
        KernelShare kernel;
        JsonReader inner((*kernels)[i], reader.path("kernels"));
        inner.text("name", kernel.name, k_max_name)
            .number("launches", kernel.launches)
            .number("share", kernel.share);
        ATOLL_TRY(inner.finish());
        timing.kernels.push_back(std::move(kernel));
    }
    reader.text("clock", timing.clock, 64)
        .numbers("anchors_ns", timing.anchors_ns, k_max_samples)
        .numbers("clocks_mhz", timing.clocks_mhz, k_max_samples)
        .texts("throttling", timing.throttling, k_max_reasons, 256)
        .number("measured_light_ns", timing.measured_light_ns);
    ATOLL_TRY(reader.finish());
    return timing;
}

}  // namespace atl
