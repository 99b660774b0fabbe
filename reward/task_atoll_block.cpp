#include "reward/base/settings.hpp"
#include "reward/inputs.hpp"
#include "reward/kinds/kind.hpp"
#include "reward/task_parts.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace atl {

namespace {

const std::vector<std::string>& accumulation_types() {
    static const std::vector<std::string> names = {"float64",  "float32", "float16",
                                                   "bfloat16", "int32",   "int64"};
    return names;
}

std::string names_of_kinds() {
    std::string names;
    for (const auto& kind : candidate_kinds()) {
        names += (names.empty() ? "" : " or ") + kind->name();
    }
    return names;
}

/// What the loosest output dtype can be held to when the task does not say.
Tolerance default_tolerance(const Task& task) {
    Tolerance result;
    for (const TensorSpec& output : task.outputs) {
        double relative = 0;
        switch (output.dtype) {
            case DType::f64:
                relative = 1e-12;
                break;
            case DType::f32:
                relative = 1e-5;
                break;
            case DType::f16:
                relative = 2e-3;
                break;
            case DType::bf16:
                relative = 1.6e-2;
                break;
            case DType::f8e4m3:
                relative = 0.25;
                break;
            default:
                break;
        }
        result.rtol = std::max(result.rtol, relative);
        result.atol_rms = std::max(result.atol_rms, relative);
    }
    return result;
}

const TensorSpec* find_input(const Task& task, const std::string& name) {
    for (const TensorSpec& input : task.inputs) {
        if (input.name == name) {
            return &input;
        }
    }
    return nullptr;
}

std::string suggest_input(const Task& task, const std::string& name) {
    std::vector<std::string> names;
    std::string all = "inputs:";
    for (const TensorSpec& input : task.inputs) {
        names.push_back(input.name);
        all += " " + input.name;
    }
    const std::string nearest = nearest_word(name, names);
    return nearest.empty() ? all : "did you mean '" + nearest + "'?";
}

InputGenerator read_generator(JsonObject object) {
    InputGenerator generator;
    generator.kind = object.required_text("kind");
    for (const std::string& key : object.keys(16)) {
        if (key == "kind") {
            continue;
        }
        if (key == "offsets") {
            generator.offsets = object.required_text(key);
        } else if (object.raw(key).is_string()) {
            generator.expressions[key] = object.text(key, "");
        } else {
            generator.parameters[key] = object.number(key, 0, -1e300, 1e300);
        }
    }
    return generator;
}

void read_distributions(JsonObject distributions, Task& task) {
    for (const std::string& name : distributions.keys(k_max_distributions)) {
        if (!is_plain_name(name)) {
            distributions.fail(name.substr(0, 80), "this cannot name a distribution",
                               "letters, digits, '_', '-' and '.', at most 64");
        }
        Distribution distribution;
        distribution.name = name;
        JsonObject inputs = distributions.object(name);
        for (const std::string& input_name : inputs.keys(k_max_tensors)) {
            const TensorSpec* input = find_input(task, input_name);
            if (input == nullptr || input->scalar) {
                inputs.fail(input_name,
                            input == nullptr ? "no such input"
                                             : "a scalar input has its value in the workload",
                            input == nullptr ? suggest_input(task, input_name) : "");
                continue;
            }
            InputGenerator generator = read_generator(inputs.object(input_name));
            if (const Status valid = check_generator(generator, input->dtype); !valid) {
                inputs.fail(input_name, valid.error().what, valid.error().hint);
            }
            distribution.inputs[input_name] = std::move(generator);
        }
        task.distributions.push_back(std::move(distribution));
    }
    if (task.distributions.empty() && !task.inputs.empty()) {
        task.distributions.push_back({"default", {}});
    }
}

void read_precision(JsonObject precision, Task& task) {
    task.precision.accumulate = precision.text("accumulate", task.precision.accumulate);
    const std::vector<std::string>& known = accumulation_types();
    if (std::find(known.begin(), known.end(), task.precision.accumulate) == known.end()) {
        precision.fail("accumulate", "unknown type '" + task.precision.accumulate + "'",
                       "use float64, float32, float16, bfloat16, int32 or int64");
    }
    task.precision.fast_math = precision.boolean("fast_math", false);
    task.precision.tf32 = precision.boolean("tf32", false);
    precision.refuse_other_keys();
}

/// Why a flag may not be offered to candidates; empty when it may. Only code generation may be
/// changed: flags that read or write files or load plug-ins would leave the compile jail's rules.
std::string flag_objection(const std::string& flag, bool fast_math) {
    static constexpr std::array<std::string_view, 8> k_forbidden = {
        "-fplugin", "-fdump",     "-fprofile", "-fauto-profile",
        "-fmodule", "-fcoverage", "-fdebug",   "-fsanitize"};
    static constexpr std::array<std::string_view, 9> k_fast = {"-ffast-math",
                                                               "-Ofast",
                                                               "-funsafe-math-optimizations",
                                                               "-fassociative-math",
                                                               "-freciprocal-math",
                                                               "-ffinite-math-only",
                                                               "-fno-signed-zeros",
                                                               "-fcx-limited-range",
                                                               "-fno-honor-nans"};
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '=' || c == '_' || c == '+' || c == '.' || c == ',';
    };
    const bool shape = flag.size() >= 3 && flag.size() <= 80 && flag[0] == '-' &&
                       (flag[1] == 'O' || flag[1] == 'f' || flag[1] == 'm') &&
                       std::all_of(flag.begin(), flag.end(), plain);
    if (!shape) {
        return "only -O..., -f... and -m... flags can be offered";
    }
    for (const std::string_view prefix : k_forbidden) {
        if (flag.rfind(prefix, 0) == 0) {
            return "this flag reads or writes files, or changes more than code generation";
        }
    }
    if (!fast_math && std::find(k_fast.begin(), k_fast.end(), flag) != k_fast.end()) {
        return "this flag changes results, and precision.fast_math is false";
    }
    return {};
}

void read_flags(JsonObject& block, Task& task) {
    task.allowed_flags = block.texts("allowed_flags", k_max_allowed_flags, 80);
    std::vector<std::string> seen;
    for (const std::string& flag : task.allowed_flags) {
        const std::string objection = flag_objection(flag, task.precision.fast_math);
        if (!objection.empty()) {
            block.fail("allowed_flags", "'" + flag + "': " + objection);
        }
        if (std::find(seen.begin(), seen.end(), flag) != seen.end()) {
            block.fail("allowed_flags", "'" + flag + "' is listed twice");
        }
        seen.push_back(flag);
    }
}

void read_baselines(JsonObject& block, Task& task, std::vector<std::string>& files) {
    for (JsonObject& object : block.objects("baselines", k_max_baselines)) {
        Baseline baseline;
        baseline.name = object.required_text("name");
        if (!is_plain_name(baseline.name)) {
            object.fail("name", "'" + baseline.name.substr(0, 80) + "' cannot name a baseline",
                        "letters, digits, '_', '-' and '.', at most 64");
        }
        for (const Baseline& other : task.baselines) {
            if (other.name == baseline.name) {
                object.fail("name", "two baselines are named '" + baseline.name + "'");
            }
        }
        files.push_back(object.required_text("file"));
        baseline.libraries = object.texts("libraries", 16, 64);
        for (const std::string& library : baseline.libraries) {
            if (!is_plain_name(library)) {
                object.fail("libraries", "'" + library + "' cannot name a library",
                            "\"openblas\" stands for -lopenblas");
            }
        }
        object.refuse_other_keys();
        task.baselines.push_back(std::move(baseline));
    }
}

void read_external(JsonObject object, Task& task) {
    ExternalEvaluator external;
    external.command = object.texts("command", 64);
    if (external.command.empty()) {
        object.fail("command", "a command is needed", "e.g. [\"python3\", \"evaluate.py\"]");
    }
    external.timeout_s = object.number("timeout_s", external.timeout_s, 0.01, 86'400);
    external.memory_bytes = static_cast<std::uint64_t>(
        object.integer("memory_bytes", static_cast<std::int64_t>(external.memory_bytes), 16 << 20,
                       std::int64_t{1} << 42));
    external.output_bytes = static_cast<std::uint64_t>(object.integer(
        "output_bytes", static_cast<std::int64_t>(external.output_bytes), 256, 64 << 20));
    external.candidate_file = object.text("candidate_file", external.candidate_file);
    if (!is_plain_name(external.candidate_file) ||
        external.candidate_file.find('.') == std::string::npos) {
        object.fail("candidate_file", "a file name with an extension is needed",
                    "e.g. candidate.py");
    }
    object.refuse_other_keys();
    task.external = std::move(external);
}

}  // namespace

void read_tolerance(JsonObject& object, Tolerance& tolerance) {
    const auto either = [&](const char* name, const char* schema_name, double otherwise, double low,
                            double high) {
        const double value = object.number(schema_name, otherwise, low, high);
        return object.number(name, value, low, high);
    };
    tolerance.atol = either("atol", "max_atol", tolerance.atol, 0, 1e30);
    tolerance.rtol = either("rtol", "max_rtol", tolerance.rtol, 0, 1);
    tolerance.atol_rms = object.number("atol_rms", tolerance.atol_rms, 0, 1);
    tolerance.matched_ratio =
        either("matched_ratio", "required_matched_ratio", tolerance.matched_ratio, 0, 1);
    tolerance.max_error_cap = object.number("max_error_cap", tolerance.max_error_cap, 0, 1e30);
}

void parse_atoll_block(JsonObject block, Task& task, std::vector<std::string>& baseline_files) {
    const std::int64_t schema = block.integer("schema", k_task_schema, 1, INT32_MAX);
    if (schema > k_task_schema) {
        block.fail("schema",
                   "this task was written for task schema " + std::to_string(schema) +
                       "; this program knows schema " + std::to_string(k_task_schema),
                   "use a newer Atoll", ErrorCode::too_new);
        return;
    }
    task.kind = block.text("kind", task.kind);
    if (find_kind(task.kind) == nullptr) {
        block.fail("kind", "unknown candidate kind '" + task.kind + "'", "use " + names_of_kinds());
    }
    read_distributions(block.object("distributions"), task);
    task.tolerance = default_tolerance(task);
    JsonObject tolerance = block.object("tolerance");
    read_tolerance(tolerance, task.tolerance);
    tolerance.refuse_other_keys();
    read_precision(block.object("precision"), task);
    JsonObject work = block.object("work");
    task.flops = work.text("flops", "");
    task.bytes = work.text("bytes", "0");
    work.refuse_other_keys();
    read_flags(block, task);
    read_baselines(block, task, baseline_files);
    if (task.kind == "external") {
        read_external(block.object("external"), task);
    } else if (block.has("external")) {
        block.fail("external", "only tasks of kind external have a judge",
                   "add \"kind\": \"external\"");
    }
    block.refuse_other_keys();
}

}  // namespace atl
