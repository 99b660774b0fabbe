#include "reward/base/files.hpp"
#include "reward/task_parts.hpp"

#include <algorithm>
#include <bit>

namespace atl {

namespace {

namespace fs = std::filesystem;

// A judge's larger files (data sets) count by name and size: reading them for every load would
// cost more than it protects.
constexpr std::uint64_t k_max_hashed_file_bytes = 8 << 20;
constexpr std::size_t k_max_judge_files = 10'000;

void add(ContentHasher& hasher, double value) {
    hasher.field(std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value));
}

void add(ContentHasher& hasher, const Tolerance& tolerance) {
    add(hasher, tolerance.atol);
    add(hasher, tolerance.rtol);
    add(hasher, tolerance.atol_rms);
    add(hasher, tolerance.matched_ratio);
    add(hasher, tolerance.max_error_cap);
}

void add(ContentHasher& hasher, const std::vector<std::string>& texts) {
    hasher.field(std::uint64_t{texts.size()});
    for (const std::string& text : texts) {
        hasher.field(text);
    }
}

void add(ContentHasher& hasher, const std::vector<TensorSpec>& tensors) {
    hasher.field(std::uint64_t{tensors.size()});
    for (const TensorSpec& tensor : tensors) {
        hasher.field(tensor.name).field(to_string(tensor.dtype));
        hasher.field(std::uint64_t{tensor.scalar});
        add(hasher, tensor.shape);
    }
}

void add_distributions(ContentHasher& hasher, const Task& task) {
    hasher.field(std::uint64_t{task.distributions.size()});
    for (const Distribution& distribution : task.distributions) {
        hasher.field(distribution.name).field(std::uint64_t{distribution.inputs.size()});
        for (const auto& [input, generator] : distribution.inputs) {
            hasher.field(input).field(generator.kind);
            hasher.field(std::uint64_t{generator.parameters.size()});
            for (const auto& [name, value] : generator.parameters) {
                hasher.field(name);
                add(hasher, value);
            }
            hasher.field(std::uint64_t{generator.expressions.size()});
            for (const auto& [name, expression] : generator.expressions) {
                hasher.field(name).field(expression);
            }
            hasher.field(generator.offsets);
        }
    }
}

void add_workloads(ContentHasher& hasher, const Task& task) {
    hasher.field(std::uint64_t{task.workloads.size()});
    for (const Workload& workload : task.workloads) {
        hasher.field(workload.id).field(std::uint64_t{workload.axes.size()});
        for (const auto& [name, value] : workload.axes) {
            hasher.field(name).field(static_cast<std::uint64_t>(value));
        }
        hasher.field(std::uint64_t{workload.scalars.size()});
        for (const auto& [name, value] : workload.scalars) {
            hasher.field(name);
            add(hasher, value);
        }
        hasher.field(static_cast<std::uint64_t>(workload.use));
        hasher.field(std::uint64_t{workload.hidden});
        add(hasher, workload.tolerance.value_or(task.tolerance));
    }
}

/// Files of an external task that the judge may read: all but what only people or the search use.
Expected<std::vector<fs::path>> judge_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code code;
    fs::recursive_directory_iterator walk(folder, code);
    for (; !code && walk != fs::recursive_directory_iterator(); walk.increment(code)) {
        const std::string name = walk->path().filename().string();
        const bool skipped_folder =
            name == "__pycache__" || name[0] == '.' ||
            (walk.depth() == 0 && (name == "starters" || name == "baselines"));
        if (walk->is_directory(code) && walk->is_symlink(code) && !skipped_folder) {
            return failure(ErrorCode::invalid_argument,
                           "is a link to a folder, in which a change would go unnoticed",
                           walk->path().string(), "copy what the judge needs into the task");
        }
        if (walk->is_directory(code) && skipped_folder) {
            walk.disable_recursion_pending();
        } else if (walk->is_regular_file(code) && name[0] != '.' && name != "README.md" &&
                   !(walk.depth() == 0 && name == "definition.json")) {
            files.push_back(walk->path());
        }
        if (files.size() > k_max_judge_files) {
            return failure(ErrorCode::limit,
                           "more than " + std::to_string(k_max_judge_files) + " files",
                           folder.string(), "keep data sets outside the task's folder");
        }
    }
    if (code) {
        return tl::unexpected<Error>(errno_error("readdir", folder.string(), code.value()));
    }
    std::sort(files.begin(), files.end());
    return files;
}

Status add_external(ContentHasher& hasher, const Task& task) {
    const ExternalEvaluator& external = *task.external;
    add(hasher, external.command);
    add(hasher, external.timeout_s);
    hasher.field(external.memory_bytes).field(external.output_bytes);
    hasher.field(external.candidate_file);
    for (const std::string& argument : external.command) {
        if (argument.starts_with(k_shipped_prefix)) {
            ATOLL_TRY_ASSIGN(const fs::path shipped, find_shipped(argument));
            ATOLL_TRY_ASSIGN(const std::string bytes, read_file(shipped, k_max_hashed_file_bytes));
            hasher.field(bytes);
        }
    }
    ATOLL_TRY_ASSIGN(const std::vector<fs::path> files, judge_files(task.folder));
    hasher.field(std::uint64_t{files.size()});
    for (const fs::path& file : files) {
        std::error_code code;
        const std::uint64_t size = fs::file_size(file, code);
        hasher.field(file.lexically_relative(task.folder).string()).field(size);
        if (!code && size <= k_max_hashed_file_bytes) {
            ATOLL_TRY_ASSIGN(const std::string bytes, read_file(file, k_max_hashed_file_bytes));
            hasher.field(bytes);
        }
    }
    return {};
}

}  // namespace

Expected<Digest> task_digest(const Task& task) {
    ContentHasher hasher;
    hasher.field("task 1").field(task.name).field(task.kind);
    hasher.field(std::uint64_t{task.axes.size()});
    for (const Axis& axis : task.axes) {
        hasher.field(axis.name).field(static_cast<std::uint64_t>(axis.kind));
        hasher.field(static_cast<std::uint64_t>(axis.value)).field(axis.expression);
    }
    add(hasher, task.inputs);
    add(hasher, task.outputs);
    add_distributions(hasher, task);
    add(hasher, task.tolerance);
    hasher.field(task.precision.accumulate).field(std::uint64_t{task.precision.fast_math});
    hasher.field(std::uint64_t{task.precision.tf32});
    hasher.field(task.flops).field(task.bytes).field(task.reference_source);
    // Those of a GPU's kinds follow from the kind and fast_math. A longer list of them refuses less
    // and changes no other verdict, and campaigns of old are still resumed.
    add(hasher, is_gpu_kind(task.kind) ? std::vector<std::string>() : task.allowed_flags);
    add_workloads(hasher, task);
    if (task.external) {
        ATOLL_TRY(add_external(hasher, task));
    }
    return hasher.finish();
}

}  // namespace atl
