#include "reward/input_sets.hpp"

#include "reward/inputs.hpp"
#include "reward/sparse_rows.hpp"

#include <algorithm>

namespace atl {

namespace {

using Axes = std::map<std::string, std::int64_t>;

std::size_t position_of(const Task& task, const std::string& input) {
    const auto found = std::find_if(task.inputs.begin(), task.inputs.end(),
                                    [&](const TensorSpec& spec) { return spec.name == input; });
    return static_cast<std::size_t>(found - task.inputs.begin());
}

/// Fills one input that is there already, in its size. Row offsets must be filled before columns.
Status fill(const Task& task, const InputGenerator& generator, const Axes& axes, std::size_t index,
            std::uint64_t seed, InputSet& inputs) {
    const DType dtype = task.inputs[index].dtype;
    std::vector<std::byte>& values = inputs.tensors[index];
    const auto stream = static_cast<std::uint32_t>(index);
    const auto count = static_cast<std::int64_t>(values.size() / size_of(dtype));
    ATOLL_TRY_ASSIGN(const InputGenerator resolved, resolve_generator(generator, dtype, axes));
    if (resolved.kind == "csr_offsets") {
        return fill_csr_offsets(resolved, dtype, seed, stream, values);
    }
    if (resolved.kind == "csr_columns") {
        const std::size_t offsets = position_of(task, resolved.offsets);
        if (offsets == task.inputs.size()) {
            return failure(ErrorCode::invalid_argument, "no such input: " + resolved.offsets);
        }
        return fill_csr_columns(resolved, dtype, seed, stream, inputs.tensors[offsets],
                                task.inputs[offsets].dtype, values);
    }
    return fill_input(resolved, dtype, seed, stream, 0, count, count, values);
}

/// Pairs of one distribution. A generator without its partner is an error.
Expected<std::vector<SparsePair>> pairs_of(const Task& task, const Distribution& distribution) {
    std::vector<SparsePair> pairs;
    std::size_t offsets = 0;
    for (std::size_t i = 0; i < task.inputs.size(); ++i) {
        const InputGenerator generator = generator_for(distribution, task.inputs[i]);
        offsets += generator.kind == "csr_offsets" ? 1 : 0;
        if (generator.kind != "csr_columns") {
            continue;
        }
        const std::size_t partner = position_of(task, generator.offsets);
        const bool taken = std::any_of(pairs.begin(), pairs.end(), [&](const SparsePair& pair) {
            return pair.offsets == partner;
        });
        if (partner == task.inputs.size() || taken ||
            generator_for(distribution, task.inputs[partner]).kind != "csr_offsets") {
            return failure(ErrorCode::invalid_argument,
                           "csr_columns: offsets must name an input of its own that csr_offsets "
                           "fills, not '" +
                               generator.offsets.substr(0, 80) + "'",
                           task.inputs[i].name);
        }
        pairs.push_back({partner, i});
    }
    if (offsets != pairs.size()) {
        return failure(ErrorCode::invalid_argument,
                       "csr_offsets fills an input that no csr_columns names", {},
                       "add the columns of the same matrix");
    }
    return pairs;
}

/// What can be said of one input without making it.
Status check_input(const Task& task, const Distribution& distribution, const Axes& axes,
                   std::size_t index) {
    const TensorSpec& input = task.inputs[index];
    const auto resolve = [&](const TensorSpec& of) {
        return resolve_generator(generator_for(distribution, of), of.dtype, axes);
    };
    ATOLL_TRY_ASSIGN(const InputGenerator generator, resolve(input));
    if (generator.kind != "csr_columns") {
        return {};
    }
    const TensorSpec& partner = task.inputs[position_of(task, generator.offsets)];
    ATOLL_TRY_ASSIGN(const InputGenerator offsets, resolve(partner));
    ATOLL_TRY_ASSIGN(const std::int64_t entries, element_count(input, axes));
    ATOLL_TRY_ASSIGN(const std::int64_t ends, element_count(partner, axes));
    const double columns = generator.parameters.at("columns");
    if (offsets.parameters.at("columns") != columns ||
        offsets.parameters.at("entries") != static_cast<double>(entries)) {
        return failure(ErrorCode::invalid_argument,
                       "its entries and columns are not those of " + partner.name);
    }
    if (ends < 2 || static_cast<double>(entries) > static_cast<double>(ends - 1) * columns) {
        return failure(ErrorCode::invalid_argument, "more entries than the matrix has places");
    }
    return {};
}

}  // namespace

std::vector<SparsePair> sparse_pairs(const Task& task) {
    if (task.distributions.empty()) {
        return {};
    }
    return pairs_of(task, task.distributions.front()).value_or(std::vector<SparsePair>{});
}

Status check_generators(const Task& task) {
    const auto is_part = [&](const Distribution& distribution, const TensorSpec& input) {
        return is_sparse_part(generator_for(distribution, input));
    };
    for (const Distribution& distribution : task.distributions) {
        const auto located = [&](const Error& error, const std::string& at) {
            return failure(
                error.code, error.what,
                "atoll.distributions." + distribution.name + (at.empty() ? "" : ".") + at,
                error.hint);
        };
        if (const auto pairs = pairs_of(task, distribution); !pairs) {
            return located(pairs.error(), {});
        }
        for (std::size_t i = 0; i < task.inputs.size(); ++i) {
            const TensorSpec& input = task.inputs[i];
            if (is_part(distribution, input) != is_part(task.distributions.front(), input)) {
                return located({ErrorCode::invalid_argument,
                                "part of a sparse matrix in some distributions only",
                                {},
                                {}},
                               input.name);
            }
            const InputGenerator generator = generator_for(distribution, input);
            if (input.scalar || (generator.expressions.empty() && !is_sparse_part(generator))) {
                continue;  // checked when it was read
            }
            for (const Workload& workload : task.workloads) {
                ATOLL_TRY_ASSIGN(const Axes axes, bind_axes(task, workload));
                if (const Status good = check_input(task, distribution, axes, i); !good) {
                    return located(good.error(), input.name + ", workload '" + workload.id + "'");
                }
            }
        }
    }
    return {};
}

Expected<InputSet> make_input_set(const Task& task, const Workload& workload,
                                  const Distribution& distribution, const Axes& bound_axes,
                                  std::uint64_t seed) {
    InputSet inputs;
    inputs.tensors.resize(task.inputs.size());
    inputs.scalars.resize(task.inputs.size());
    for (std::size_t i = 0; i < task.inputs.size(); ++i) {
        const TensorSpec& input = task.inputs[i];
        if (input.scalar) {
            inputs.scalars[i] = workload.scalars.at(input.name);
            continue;
        }
        ATOLL_TRY_ASSIGN(const std::int64_t count, element_count(input, bound_axes));
        inputs.tensors[i].resize(static_cast<std::size_t>(count) * size_of(input.dtype));
    }
    // Columns follow the offsets that they depend on.
    for (const bool columns : {false, true}) {
        for (std::size_t i = 0; i < task.inputs.size(); ++i) {
            const InputGenerator generator = generator_for(distribution, task.inputs[i]);
            if (!task.inputs[i].scalar && (generator.kind == "csr_columns") == columns) {
                ATOLL_TRY(fill(task, generator, bound_axes, i, seed, inputs));
            }
        }
    }
    return inputs;
}

Status change_input(const Task& task, const Distribution& distribution, const Axes& bound_axes,
                    std::size_t index, std::uint64_t seed, InputSet& inputs) {
    const TensorSpec& input = task.inputs[index];
    if (input.scalar) {
        inputs.scalars[index] = inputs.scalars[index] * 1.5 + 1;
        return {};
    }
    for (const SparsePair& pair : sparse_pairs(task)) {
        if (pair.offsets != index) {
            continue;
        }
        // Where none can move, nothing changes: other columns would hide that offsets are not used.
        static_cast<void>(move_row_boundaries(inputs.tensors[index], input.dtype,
                                              inputs.tensors[pair.columns],
                                              task.inputs[pair.columns].dtype));
        return {};
    }
    const std::vector<std::byte> before = inputs.tensors[index];
    std::vector<InputGenerator> generators = {generator_for(distribution, input)};
    for (const Distribution& other : task.distributions) {
        generators.push_back(generator_for(other, input));
    }
    for (const InputGenerator& generator : generators) {
        ATOLL_TRY(fill(task, generator, bound_axes, index, seed, inputs));
        if (inputs.tensors[index] != before) {
            break;
        }
    }
    return {};
}

}  // namespace atl
