#include "reward/base/settings.hpp"
#include "reward/inputs.hpp"

#include <cmath>
#include <limits>

namespace atl {

namespace {

struct GeneratorRule {
    std::string name;
    std::vector<std::string> parameters;
};

const std::vector<GeneratorRule>& rules() {
    static const std::vector<GeneratorRule> all = {
        {"normal", {"mean", "stddev"}},
        {"uniform", {"low", "high"}},
        {"constant", {"value"}},
        {"spikes", {"stddev", "rate", "scale"}},
        {"wide", {"low_exponent", "high_exponent"}},
        {"ramp", {"start", "step"}},
        {"alternate", {"value"}},
    };
    return all;
}

bool is_integer(DType dtype) {
    return dtype == DType::i64 || dtype == DType::i32 || dtype == DType::i16 ||
           dtype == DType::i8 || dtype == DType::u8;
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

tl::unexpected<Error> unknown(const std::string& what, const std::string& word,
                              const std::vector<std::string>& known) {
    const std::string nearest = nearest_word(word, known);
    return failure(ErrorCode::invalid_argument, "unknown " + what + " '" + word.substr(0, 80) + "'",
                   {},
                   nearest.empty() ? "known: " + listed(known) : "did you mean '" + nearest + "'?");
}

/// A mistake in the values of known parameters, or empty.
std::string objection(const InputGenerator& generator, DType dtype) {
    const auto value = [&](const char* name, double otherwise) {
        const auto found = generator.parameters.find(name);
        return found == generator.parameters.end() ? otherwise : found->second;
    };
    if (value("stddev", 1) < 0) {
        return "stddev must not be negative";
    }
    if (const double rate = value("rate", 0); rate < 0 || rate > 1) {
        return "rate must be from 0 to 1";
    }
    if (generator.kind == "uniform") {
        const Bounds bounds = uniform_bounds(generator, dtype);
        if (!(bounds.low <= bounds.high)) {
            return "low must not exceed high";
        }
        if (is_integer(dtype) &&
            (std::floor(bounds.low) != bounds.low || std::floor(bounds.high) != bounds.high ||
             bounds.low < lowest_value(dtype) || bounds.high > highest_value(dtype))) {
            return std::string("low and high must be integers that ") + to_string(dtype) +
                   " can hold";
        }
        if (!std::isfinite(bounds.high - bounds.low)) {
            return "the range from low to high is not finite";
        }
    }
    if (generator.kind == "wide") {
        const double low = value("low_exponent", -3);
        const double high = value("high_exponent", 3);
        if (!(low >= -300 && low <= high && high <= 300)) {
            return "low_exponent must not exceed high_exponent, both from -300 to 300";
        }
    }
    return {};
}

}  // namespace

const std::vector<std::string>& generator_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> result;
        for (const GeneratorRule& rule : rules()) {
            result.push_back(rule.name);
        }
        return result;
    }();
    return names;
}

Status check_generator(const InputGenerator& generator, DType dtype) {
    const GeneratorRule* rule = nullptr;
    for (const GeneratorRule& candidate : rules()) {
        rule = candidate.name == generator.kind ? &candidate : rule;
    }
    if (rule == nullptr) {
        return unknown("input generator", generator.kind, generator_names());
    }
    for (const auto& [name, value] : generator.parameters) {
        bool known = false;
        for (const std::string& parameter : rule->parameters) {
            known = known || parameter == name;
        }
        if (!known) {
            return unknown("parameter of generator " + generator.kind, name, rule->parameters);
        }
        if (!std::isfinite(value)) {
            return failure(ErrorCode::invalid_argument, name + " is not finite");
        }
    }
    if (const std::string mistake = objection(generator, dtype); !mistake.empty()) {
        return failure(ErrorCode::invalid_argument, "generator " + generator.kind + ": " + mistake);
    }
    return {};
}

InputGenerator generator_for(const Distribution& distribution, const TensorSpec& input) {
    const auto found = distribution.inputs.find(input.name);
    if (found != distribution.inputs.end()) {
        return found->second;
    }
    return {is_integer(input.dtype) ? "uniform" : "normal", {}};
}

Bounds uniform_bounds(const InputGenerator& generator, DType dtype) {
    Bounds bounds = is_integer(dtype) ? Bounds{-127, 127} : Bounds{-1, 1};
    if (dtype == DType::u8) {
        bounds = {0, 255};
    }
    if (const auto low = generator.parameters.find("low"); low != generator.parameters.end()) {
        bounds.low = low->second;
    }
    if (const auto high = generator.parameters.find("high"); high != generator.parameters.end()) {
        bounds.high = high->second;
    }
    return bounds;
}

}  // namespace atl
