#include "tests/mutation/other_inputs.hpp"

#include "reward/base/hash.hpp"
#include "reward/base/rng.hpp"
#include "reward/expression.hpp"
#include "reward/launch_contract.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace atl::mutation {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t k_stretched_share = 5;  ///< one in so many random shapes
constexpr std::int64_t k_times_the_longest = 2;
constexpr double k_stretched_elements = 1 << 20;
constexpr double k_stretched_flops = 1e8;

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
        throw std::runtime_error("cannot read " + path.string());
    }
    return text.str();
}

void write(const fs::path& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file) {
        throw std::runtime_error("cannot write " + path.string());
    }
}

/// An extent near `extent`, or below it.
std::int64_t near(CounterRng& random, std::int64_t extent) {
    switch (random.below(4)) {
        case 0:
            return extent;
        case 1:
            return extent + 1;
        case 2:
            return std::max<std::int64_t>(extent - 1, 1);
        default:
            return 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(extent)));
    }
}

Workload near(CounterRng& random, const Workload& original) {
    Workload other = original;
    for (auto& [name, extent] : other.axes) {
        extent = near(random, extent);
    }
    return other;
}

/// What scores of attention are in proportion to. Of higher ones float32 keeps fewer digits than
/// the tolerances ask for.
double score_scale(const Workload& workload) {
    return static_cast<double>(workload.axes.at("d")) * workload.scalars.at("scale");
}

/// Tolerances are known to be right for the task's own extents only: rounding errors of sums grow
/// with their length.
bool is_too_long(const Task& task, const std::string& axis, std::int64_t extent) {
    return std::none_of(task.workloads.begin(), task.workloads.end(), [&](const Workload& own) {
        return extent <= k_times_the_longest * own.axes.at(axis);
    });
}

/// Whether the oracle answers in a fraction of a second.
bool is_affordable(const Task& task, const Workload& workload) {
    const auto axes = bind_axes(task, workload);
    if (!axes) {
        return false;
    }
    double elements = 0;
    for (const std::vector<TensorSpec>* tensors : {&task.inputs, &task.outputs}) {
        for (const TensorSpec& tensor : *tensors) {
            elements += static_cast<double>(element_count(tensor, *axes).value_or(1LL << 40));
        }
    }
    const double flops = evaluate_expression(task.flops, *axes).value_or(0);
    return elements <= k_stretched_elements && flops <= k_stretched_flops;
}

/// One extent many times as long, so that what is done block by block meets several blocks.
Workload stretched(CounterRng& random, const Task& task, const Workload& original) {
    Workload other = original;
    auto axis = other.axes.begin();
    std::advance(axis, random.below(other.axes.size()));
    const std::int64_t extent = axis->second;
    for (std::uint64_t factor = 100; factor > 1; factor /= 2) {
        axis->second = extent * static_cast<std::int64_t>(1 + random.below(factor)) + 1;
        if (admissible(task, other) && is_affordable(task, other)) {
            return other;
        }
    }
    return near(random, original);
}

Json line_of(const Task& task, const Workload& workload, bool exact) {
    Json inputs = Json::object();
    for (const auto& [name, value] : workload.scalars) {
        inputs[name] = {{"type", "scalar"}, {"value", value}};
    }
    Json body = {{"uuid", workload.id}, {"axes", Json(workload.axes)}, {"inputs", inputs}};
    if (workload.tolerance && !exact) {
        const Tolerance& own = *workload.tolerance;
        body["tolerance"] = {{"atol", own.atol},
                             {"rtol", own.rtol},
                             {"atol_rms", own.atol_rms},
                             {"matched_ratio", own.matched_ratio},
                             {"max_error_cap", own.max_error_cap}};
    }
    return {{"definition", task.name}, {"workload", body}, {"atoll", {{"use", "verify"}}}};
}

TaskPtr written(const Task& task, const std::string& reference, bool exact, std::uint64_t round,
                const fs::path& folder) {
    Json definition = Json::parse(text_of(task.folder / "definition.json"));
    definition["atoll"].erase("baselines");
    if (exact) {
        definition["atoll"]["tolerance"] = {
            {"atol", 0}, {"rtol", 0}, {"atol_rms", 0}, {"matched_ratio", 1.0}};
    }
    std::string lines;
    for (const Workload& workload : other_shapes(task, round)) {
        lines += line_of(task, workload, exact).dump() + "\n";
    }
    fs::create_directories(folder);
    write(folder / "definition.json", definition.dump(1));
    write(folder / "workload.jsonl", lines);
    write(folder / "reference.cpp", reference);
    return value_or_throw(load_task(folder));
}

/// A reference that asks the original and widens its answer.
std::string reference_around(const Task& task, const std::string& original) {
    std::string text = exactly("#include <cstdlib>\n" + original + "\n");
    text += reference_prototype(task) + " {\n";
    text += "    const auto ceil_div = [](long a, long b) { return (a + b - 1) / b; };\n";
    text += "    static_cast<void>(ceil_div);\n";
    for (const Axis& axis : task.axes) {
        if (axis.kind != Axis::Kind::variable) {
            text +=
                "    const long " + axis.name + " = " +
                (axis.kind == Axis::Kind::constant ? std::to_string(axis.value) : axis.expression) +
                ";\n";
        }
    }
    std::string arguments;
    for (const TensorSpec& input : task.inputs) {
        arguments += input.name + ", ";
    }
    std::string widen;
    for (const TensorSpec& output : task.outputs) {
        const std::string own = "atoll_" + output.name;
        const std::string type = c_type(output.dtype);
        text += "    long " + own + "_count = 1;\n";
        for (const std::string& extent : output.shape) {
            text += "    " + own + "_count *= (" + extent + ");\n";
        }
        text += "    " + type + "* " + own + " = static_cast<" + type +
                "*>(std::aligned_alloc(64, (" + own + "_count * sizeof(" + type +
                ") + 63) / 64 * 64));\n";
        arguments += own + ", ";
        widen += "    for (long i = 0; i < " + own + "_count; ++i) {\n        " + output.name +
                 "[i] = " + own + "[i];\n    }\n    std::free(" + own + ");\n";
    }
    for (const Axis& axis : task.axes) {
        arguments += axis.kind == Axis::Kind::variable ? axis.name + ", " : "";
    }
    arguments.resize(arguments.size() - 2);
    return text + "    launch(" + arguments + ");\n" + widen + "}\n";
}

}  // namespace

std::string exactly(const std::string& source) {
    return "#pragma GCC optimize(\"fp-contract=off\")\n" + source;
}

bool admissible(const Task& task, const Workload& workload) {
    const std::map<std::string, std::int64_t>& axes = workload.axes;
    for (const auto& [axis, extent] : axes) {
        if (is_too_long(task, axis, extent)) {
            return false;
        }
    }
    if (task.name == "top_k") {
        return axes.at("k") <= axes.at("n");
    }
    if (task.name == "spmv_csr") {
        return axes.at("nnz") <= axes.at("rows") * axes.at("cols");
    }
    if (task.name == "causal_attention") {
        return std::any_of(task.workloads.begin(), task.workloads.end(), [&](const Workload& own) {
            return score_scale(workload) <= score_scale(own);
        });
    }
    return true;
}

std::vector<Workload> other_shapes(const Task& task, std::uint64_t round) {
    CounterRng random(checksum64(task.name.data(), task.name.size()), RngPurpose::input_values,
                      round);
    // The first round begins with the task's own shapes; the others leave the large ones out.
    std::vector<Workload> originals;
    for (const Workload& workload : task.workloads) {
        if (round == 0 || workload.use == Workload::Use::verify) {
            originals.push_back(workload);
        }
    }
    // A tolerance of their own for some shapes says that it depends on the size.
    const bool stretches =
        std::none_of(task.workloads.begin(), task.workloads.end(),
                     [](const Workload& workload) { return workload.tolerance.has_value(); });
    std::vector<Workload> shapes;
    for (std::size_t i = 0; shapes.size() < k_shapes; ++i) {
        const Workload& original = originals[i % originals.size()];
        const bool own = round == 0 && i < originals.size();
        Workload shape = own ? original
                         : stretches && i % k_stretched_share == 0
                             ? stretched(random, task, original)
                             : near(random, original);
        for (int trial = 0; !admissible(task, shape); ++trial) {
            shape = trial < 100 ? near(random, original) : original;
        }
        shape.id = "shape_" + std::to_string(shapes.size());
        shape.use = Workload::Use::verify;
        shape.hidden = false;
        shapes.push_back(std::move(shape));
    }
    return shapes;
}

TaskPtr same_answers_task(const Task& task, const std::string& original, std::uint64_t round,
                          const fs::path& folder) {
    return written(task, reference_around(task, original), true, round, folder);
}

TaskPtr other_shapes_task(const Task& task, std::uint64_t round, const fs::path& folder) {
    return written(task, task.reference_source, false, round, folder);
}

}  // namespace atl::mutation
