#include "reward/gpu/fill_arguments.hpp"

#include "reward/inputs.hpp"

namespace atl {

namespace {

bool is_float(DType dtype) {
    return dtype == DType::f64 || dtype == DType::f32 || dtype == DType::f16 ||
           dtype == DType::bf16 || dtype == DType::f8e4m3;
}

FillArguments uniform_arguments(const InputGenerator& generator, DType dtype) {
    const Bounds bounds = uniform_bounds(generator, dtype);
    if (is_float(dtype)) {
        return {FillArguments::uniform_real, bounds.low, bounds.high - bounds.low, bounds.high};
    }
    const double choices = bounds.high - bounds.low + 1;
    return {choices <= 0x1.0p32 ? FillArguments::uniform_narrow : FillArguments::uniform_broad,
            bounds.low, choices};
}

}  // namespace

// Defaults are those of fill_input().
FillArguments fill_arguments(const InputGenerator& generator, DType dtype) {
    const auto parameter = [&](const char* name, double otherwise) {
        const auto found = generator.parameters.find(name);
        return found == generator.parameters.end() ? otherwise : found->second;
    };
    const std::string& kind = generator.kind;
    if (kind == "normal") {
        return {FillArguments::normal, parameter("mean", 0), parameter("stddev", 1)};
    }
    if (kind == "uniform") {
        return uniform_arguments(generator, dtype);
    }
    if (kind == "constant") {
        return {FillArguments::constant, parameter("value", 0)};
    }
    if (kind == "spikes") {
        const double stddev = parameter("stddev", 1);
        return {FillArguments::spikes, stddev, parameter("rate", 0.01) * 0x1.0p32,
                stddev * parameter("scale", 100)};
    }
    if (kind == "wide") {
        const double low = parameter("low_exponent", -3);
        return {FillArguments::wide, low, parameter("high_exponent", 3) - low};
    }
    if (kind == "ramp") {
        return {FillArguments::ramp, parameter("start", 0), parameter("step", 1)};
    }
    if (kind == "skewed") {
        const SkewedRange range = skewed_range(generator);
        return {FillArguments::skewed, range.low, range.high - range.low + 1, range.power};
    }
    return {FillArguments::alternate, parameter("value", 1)};
}

}  // namespace atl
