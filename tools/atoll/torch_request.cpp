#include "tools/atoll/torch_request.hpp"

#include "reward/base/files.hpp"
#include "reward/comparison.hpp"
#include "reward/expression.hpp"
#include "reward/input_sets.hpp"
#include "reward/inputs.hpp"
#include "reward/sparse_rows.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <span>

namespace atl {

namespace {

namespace fs = std::filesystem;
using Axes = std::map<std::string, std::int64_t>;

/// Nothing here is a secret: baselines are trusted, and the same inputs make runs comparable.
constexpr std::uint64_t k_seed = 20'251;

Status write_bytes(const fs::path& file, std::span<const std::byte> bytes) {
    std::ofstream out(file, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    out.close();
    return out ? Status() : failure(ErrorCode::io, "could not be written", file.string());
}

Expected<nlohmann::json> shape_of(const TensorSpec& tensor, const Axes& axes) {
    nlohmann::json shape = nlohmann::json::array();
    for (const std::string& extent : tensor.shape) {
        ATOLL_TRY_ASSIGN(const std::int64_t value, evaluate_integer_expression(extent, axes));
        shape.push_back(value);
    }
    return shape;
}

/// One dense input of a measured workload, or as much of it as the helper needs.
Status fill_pattern(const InputGenerator& generator, const TensorSpec& input, std::size_t index,
                    std::int64_t count, std::vector<std::byte>& values) {
    count = std::min(count, k_torch_pattern);
    values.resize(static_cast<std::size_t>(count) * size_of(input.dtype));
    return fill_input(generator, input.dtype, k_seed, static_cast<std::uint32_t>(index), 0, count,
                      count, values);
}

Expected<InputGenerator> generator_of(const Task& task, std::size_t index, const Axes& axes) {
    const TensorSpec& input = task.inputs[index];
    return resolve_generator(generator_for(task.distributions.front(), input), input.dtype, axes);
}

/// Both tensors of a sparse matrix, in full.
Status fill_sparse(const Task& task, const SparsePair& pair, const Axes& axes, InputSet& inputs) {
    const TensorSpec& offsets = task.inputs[pair.offsets];
    const TensorSpec& columns = task.inputs[pair.columns];
    ATOLL_TRY_ASSIGN(const std::int64_t ends, element_count(offsets, axes));
    ATOLL_TRY_ASSIGN(const std::int64_t entries, element_count(columns, axes));
    std::vector<std::byte>& starts = inputs.tensors[pair.offsets];
    std::vector<std::byte>& places = inputs.tensors[pair.columns];
    starts.resize(static_cast<std::size_t>(ends) * size_of(offsets.dtype));
    places.resize(static_cast<std::size_t>(entries) * size_of(columns.dtype));
    ATOLL_TRY_ASSIGN(const InputGenerator rows, generator_of(task, pair.offsets, axes));
    ATOLL_TRY(fill_csr_offsets(rows, offsets.dtype, k_seed,
                               static_cast<std::uint32_t>(pair.offsets), starts));
    ATOLL_TRY_ASSIGN(const InputGenerator within, generator_of(task, pair.columns, axes));
    return fill_csr_columns(within, columns.dtype, k_seed, static_cast<std::uint32_t>(pair.columns),
                            starts, offsets.dtype, places);
}

Expected<InputSet> timed_inputs(const Task& task, const Workload& workload, const Axes& axes) {
    InputSet inputs;
    inputs.tensors.resize(task.inputs.size());
    inputs.scalars.resize(task.inputs.size());
    for (std::size_t i = 0; i < task.inputs.size(); ++i) {
        const TensorSpec& input = task.inputs[i];
        if (input.scalar) {
            inputs.scalars[i] = workload.scalars.at(input.name);
            continue;
        }
        ATOLL_TRY_ASSIGN(const InputGenerator generator, generator_of(task, i, axes));
        if (!is_sparse_part(generator)) {
            ATOLL_TRY_ASSIGN(const std::int64_t count, element_count(input, axes));
            ATOLL_TRY(fill_pattern(generator, input, i, count, inputs.tensors[i]));
        }
    }
    for (const SparsePair& pair : sparse_pairs(task)) {
        ATOLL_TRY(fill_sparse(task, pair, axes, inputs));
    }
    return inputs;
}

nlohmann::json tolerance_json(const Tolerance& tolerance) {
    return {{"atol", tolerance.atol},
            {"rtol", tolerance.rtol},
            {"atol_rms", tolerance.atol_rms},
            {"matched_ratio", tolerance.matched_ratio}};
}

/// A launch, with its inputs as files `name`_<input>.in.
Expected<nlohmann::json> launch_json(const Task& task, const Workload& workload, const Axes& axes,
                                     const InputSet& inputs, const fs::path& folder,
                                     const std::string& name) {
    nlohmann::json given = nlohmann::json::array();
    for (std::size_t i = 0; i < task.inputs.size(); ++i) {
        const TensorSpec& input = task.inputs[i];
        if (input.scalar) {
            given.push_back({{"value", inputs.scalars[i]}});
            continue;
        }
        const std::string file = name + "_" + input.name + ".in";
        ATOLL_TRY(write_bytes(folder / file, inputs.tensors[i]));
        ATOLL_TRY_ASSIGN(nlohmann::json shape, shape_of(input, axes));
        given.push_back({{"file", file}, {"shape", std::move(shape)}});
    }
    nlohmann::json outputs = nlohmann::json::array();
    for (const TensorSpec& output : task.outputs) {
        ATOLL_TRY_ASSIGN(nlohmann::json shape, shape_of(output, axes));
        outputs.push_back({{"file", name + "_" + output.name + ".out"}, {"shape", shape}});
    }
    nlohmann::json values = nlohmann::json::array();
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::variable) {
            values.push_back(axes.at(axis.name));
        }
    }
    return nlohmann::json{
        {"workload", workload.id},
        {"axes", values},
        {"inputs", given},
        {"outputs", outputs},
        {"tolerance", tolerance_json(workload.tolerance.value_or(task.tolerance))}};
}

Expected<nlohmann::json> case_json(const Task& task, const Workload& workload,
                                   const Distribution& distribution, const Oracle& oracle,
                                   const fs::path& folder, const std::string& name,
                                   std::vector<TorchCase>& cases) {
    TorchCase one;
    one.workload = workload.id;
    one.tolerance = workload.tolerance.value_or(task.tolerance);
    ATOLL_TRY_ASSIGN(one.axes, bind_axes(task, workload));
    ATOLL_TRY_ASSIGN(const InputSet inputs,
                     make_input_set(task, workload, distribution, one.axes, k_seed));
    ATOLL_TRY_ASSIGN(one.want, oracle.run(one.axes, inputs));
    for (const TensorSpec& output : task.outputs) {
        one.files.push_back(folder / (name + "_" + output.name + ".out"));
    }
    ATOLL_TRY_ASSIGN(nlohmann::json launch,
                     launch_json(task, workload, one.axes, inputs, folder, name));
    launch["timed"] = false;
    cases.push_back(std::move(one));
    return launch;
}

nlohmann::json tensors_json(const std::vector<TensorSpec>& tensors,
                            const std::vector<SparsePair>& sparse) {
    nlohmann::json list = nlohmann::json::array();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const bool fixed = std::any_of(sparse.begin(), sparse.end(), [&](const SparsePair& pair) {
            return pair.offsets == i || pair.columns == i;
        });
        list.push_back(
            {{"name", tensors[i].name}, {"dtype", to_string(tensors[i].dtype)}, {"fixed", fixed}});
    }
    return list;
}

}  // namespace

fs::path torch_baseline_file(const Task& task) {
    return task.folder / "baselines" / "torch.py";
}

Expected<nlohmann::json> torch_request(const Task& task, const Oracle* oracle,
                                       const fs::path& folder, std::vector<TorchCase>& cases) {
    nlohmann::json launches = nlohmann::json::array();
    std::size_t number = 0;
    for (const Workload& workload : task.workloads) {
        const std::string name = fmt::format("{}_{}", task.name, number);
        if (workload.hidden) {
            continue;
        }
        if (workload.use == Workload::Use::measure) {
            ATOLL_TRY_ASSIGN(const Axes axes, bind_axes(task, workload));
            ATOLL_TRY_ASSIGN(const InputSet inputs, timed_inputs(task, workload, axes));
            ATOLL_TRY_ASSIGN(nlohmann::json launch,
                             launch_json(task, workload, axes, inputs, folder, name));
            launch["timed"] = true;
            launches.push_back(std::move(launch));
        } else if (oracle != nullptr && cases.size() < k_most_workloads) {
            const Distribution& distribution =
                task.distributions[number % task.distributions.size()];
            ATOLL_TRY_ASSIGN(nlohmann::json launch,
                             case_json(task, workload, distribution, *oracle, folder, name, cases));
            launches.push_back(std::move(launch));
        }
        ++number;
    }
    std::error_code code;
    return nlohmann::json{{"task", task.name},
                          {"baseline", fs::absolute(torch_baseline_file(task), code).string()},
                          {"tf32", task.precision.tf32},
                          {"samples", k_torch_samples},
                          {"inputs", tensors_json(task.inputs, sparse_pairs(task))},
                          {"outputs", tensors_json(task.outputs, {})},
                          {"launches", launches}};
}

std::string torch_case_problem(const Task& task, const TorchCase& one) {
    for (std::size_t i = 0; i < task.outputs.size(); ++i) {
        const TensorSpec& output = task.outputs[i];
        const std::uint64_t wanted = one.want[i].size() * size_of(output.dtype);
        const Expected<std::string> bytes = read_regular_file(one.files[i], wanted);
        if (!bytes || bytes->size() != wanted) {
            return fmt::format("{}: no {} bytes of {} were written", one.workload, wanted,
                               output.name);
        }
        const auto got = std::as_bytes(std::span(*bytes));
        const Comparison comparison = compare_output(output.dtype, got, one.want[i], one.tolerance);
        if (!comparison.passed) {
            return fmt::format("{}: {}[{}] is {:.9g}, the reference says {:.9g}", one.workload,
                               output.name, comparison.first_bad_index, comparison.got,
                               comparison.want);
        }
    }
    return "";
}

}  // namespace atl
