#include "reward/base/settings.hpp"
#include "reward/expression.hpp"
#include "reward/inputs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace atl {

namespace {

/// Of such a mean and deviation no single value is infinite.
constexpr double k_huge = 1e37;

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
        {"skewed", {"low", "high", "power"}},
        {"csr_offsets", {"entries", "columns", "skew", "empty"}},
        {"csr_columns", {"columns", "band"}},
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

bool is_whole(double value, double low, double high) {
    return std::floor(value) == value && value >= low && value <= high;
}

std::string objection_to_skewed(const InputGenerator& generator, DType dtype) {
    const SkewedRange range = skewed_range(generator);
    // Larger whole numbers are not all doubles.
    constexpr double k_most = 9007199254740992.0;
    if (!is_whole(range.low, -k_most, k_most) || !is_whole(range.high, -k_most, k_most) ||
        range.low > range.high) {
        return "low and high must be whole numbers, low not above high";
    }
    if (range.low < lowest_value(dtype) || range.high > highest_value(dtype)) {
        return std::string("low and high must be numbers that ") + to_string(dtype) + " can hold";
    }
    return is_whole(range.power, 1, 16) ? "" : "power must be a whole number from 1 to 16";
}

/// Parameters of the parts of a sparse matrix; those that are expressions are looked at later.
std::string objection_to_sparse(const InputGenerator& generator, DType dtype) {
    const bool offsets = generator.kind == "csr_offsets";
    if (dtype != DType::i32 && dtype != DType::i64) {
        return "the dtype must be int32 or int64";
    }
    if (!offsets && generator.offsets.empty()) {
        return "offsets must name the input with the row offsets";
    }
    for (const char* name : {"columns", "entries"}) {
        const auto given = generator.parameters.find(name);
        const bool wanted = offsets || std::string(name) == "columns";
        if (wanted && given == generator.parameters.end() &&
            !generator.expressions.contains(name)) {
            return std::string(name) + " is needed";
        }
        if (given != generator.parameters.end() && !is_whole(given->second, 1, 0x7FFFFFFF)) {
            return std::string(name) + " must be a whole number of at least 1";
        }
    }
    const auto value = [&](const char* name) {
        const auto found = generator.parameters.find(name);
        return found == generator.parameters.end() ? 0 : found->second;
    };
    if (!(value("skew") >= 0 && value("skew") <= 4)) {
        return "skew must be from 0 to 4";
    }
    if (!(value("empty") >= 0 && value("empty") <= 1)) {
        return "empty must be from 0 to 1";
    }
    return is_whole(value("band"), 0, 0x7FFFFFFF) ? "" : "band must be a whole number";
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
    if (generator.kind == "skewed") {
        return objection_to_skewed(generator, dtype);
    }
    if (is_sparse_part(generator)) {
        return objection_to_sparse(generator, dtype);
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
    const auto is_known = [&](const std::string& name) {
        return std::find(rule->parameters.begin(), rule->parameters.end(), name) !=
               rule->parameters.end();
    };
    for (const auto& [name, expression] : generator.expressions) {
        if (!is_known(name)) {
            return unknown("parameter of generator " + generator.kind, name, rule->parameters);
        }
    }
    if (!generator.offsets.empty() && generator.kind != "csr_columns") {
        return unknown("parameter of generator " + generator.kind, "offsets", rule->parameters);
    }
    for (const auto& [name, value] : generator.parameters) {
        if (!is_known(name)) {
            return unknown("parameter of generator " + generator.kind, name, rule->parameters);
        }
        if (!std::isfinite(value)) {
            return failure(ErrorCode::invalid_argument, name + " is not finite");
        }
    }
    // What an expression stands for is known for each workload only.
    const bool complete = generator.expressions.empty() || is_sparse_part(generator);
    if (const std::string mistake = complete ? objection(generator, dtype) : ""; !mistake.empty()) {
        return failure(ErrorCode::invalid_argument, "generator " + generator.kind + ": " + mistake);
    }
    return {};
}

Expected<InputGenerator> resolve_generator(const InputGenerator& generator, DType dtype,
                                           const std::map<std::string, std::int64_t>& axes) {
    InputGenerator resolved = generator;
    for (const auto& [name, expression] : generator.expressions) {
        ATOLL_TRY_ASSIGN(resolved.parameters[name], evaluate_expression(expression, axes));
    }
    resolved.expressions.clear();
    ATOLL_TRY(check_generator(resolved, dtype));
    return resolved;
}

bool is_sparse_part(const InputGenerator& generator) {
    return generator.kind == "csr_offsets" || generator.kind == "csr_columns";
}

InputGenerator generator_for(const Distribution& distribution, const TensorSpec& input) {
    const auto found = distribution.inputs.find(input.name);
    if (found != distribution.inputs.end()) {
        return found->second;
    }
    return {is_integer(input.dtype) ? "uniform" : "normal", {}};
}

bool is_made_in_single(const InputGenerator& generator, DType dtype) {
    const bool known = generator.kind == "normal" || generator.kind == "uniform";
    return known && !is_integer(dtype) && size_of(dtype) <= sizeof(float) &&
           std::all_of(generator.parameters.begin(), generator.parameters.end(),
                       [](const auto& one) { return std::abs(one.second) <= k_huge; });
}

SkewedRange skewed_range(const InputGenerator& generator) {
    SkewedRange range;
    for (const auto& [name, value] : generator.parameters) {
        if (name == "power") {
            range.power = value;
        } else {
            (name == "low" ? range.low : range.high) = value;
        }
    }
    return range;
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
