#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// f8e4m3: sign, 4 bits of exponent, 3 of mantissa, no infinities, the last code of either sign is
/// NaN (Micikevicius et al., "FP8 Formats for Deep Learning", 2022).
enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, f8e4m3 };

[[nodiscard]] const char* to_string(DType dtype);  ///< schema name: "float32", "int8", ...
[[nodiscard]] const char* c_type(DType dtype);     ///< type in a launch prototype
[[nodiscard]] std::size_t size_of(DType dtype);    ///< bytes
[[nodiscard]] std::optional<DType> dtype_from(const std::string& schema_name);

/// A named extent. `var` axes are arguments of launch(), in definition order.
struct Axis {
    enum class Kind { constant, variable, expression };
    std::string name;
    Kind kind = Kind::variable;
    std::int64_t value = 0;  ///< constant only
    std::string expression;  ///< expression only; over the other axes
    std::string description;
};

/// A tensor of the task; an empty shape with `scalar` set is passed by value.
struct TensorSpec {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::string> shape;  ///< axis names or expressions over axes, slowest first
    bool scalar = false;
    std::string description;
};

/// How the values of one input are made from a seed. One task names several distributions; each
/// gives a generator for every input.
struct InputGenerator {
    std::string kind = "normal";  ///< see reward/inputs.hpp for the list and its parameters
    std::map<std::string, double> parameters;
    std::map<std::string, std::string> expressions =
        {};                    ///< parameters given over axes: "cols - 1"
    std::string offsets = {};  ///< csr_columns only: the input that holds the row offsets

    bool operator==(const InputGenerator&) const = default;
};

/// A named way to fill all inputs ("normal", "wide", "spikes", "structured"...).
struct Distribution {
    std::string name;
    std::map<std::string, InputGenerator> inputs;  ///< by input name
};

/// An element passes when !(|out - ref| <= atol + rtol * |ref| + atol_rms * rms(ref)) is false;
/// the output passes when the share of passing elements is at least `matched_ratio`, and (when
/// max_error_cap > 0) no error exceeds the cap. NaN never passes.
struct Tolerance {
    double atol = 0;
    double rtol = 0;
    double atol_rms = 0;
    double matched_ratio = 1.0;
    double max_error_cap = 0;
};

/// What a candidate may trade for speed.
struct PrecisionPolicy {
    std::string accumulate = "float32";  ///< least precise accumulation type allowed
    bool fast_math = false;              ///< may -ffast-math style flags be chosen
    bool tf32 = false;
};

/// One binding of the axes. A hidden workload, and anything measured on it, never reaches a
/// mutator.
struct Workload {
    enum class Use { verify, measure };  ///< small awkward shapes check, larger ones are timed
    std::string id;
    std::map<std::string, std::int64_t> axes;  ///< variable axes as given
    std::map<std::string, double> scalars;     ///< values of scalar inputs
    Use use = Use::measure;
    bool hidden = false;
    std::optional<Tolerance> tolerance;  ///< overrides the task's
};

/// Of a longer list, the first so many public and the first so many hidden workloads of each use
/// take part: a candidate's evaluation has to end.
inline constexpr std::size_t k_most_workloads = 64;

/// A source the task ships to begin from.
struct Starter {
    std::string name;  ///< file name without extension
    std::string source;
};

/// Something a speed-up is measured against besides the starters, e.g. OpenBLAS: trusted source
/// that may link libraries. Missing libraries make it unavailable, not an error.
struct Baseline {
    std::string name;
    std::string source;
    std::vector<std::string> libraries;  ///< "openblas" -> -lopenblas
};

/// How an external evaluator judges candidates (kind "external").
struct ExternalEvaluator {
    std::vector<std::string> command;  ///< argv; relative paths are relative to the task's folder
    double timeout_s = 60;
    std::uint64_t memory_bytes = 2ull << 30;
    std::uint64_t output_bytes = 1 << 20;
    std::string candidate_file = "candidate.py";  ///< name under which the candidate is given
};

/// A task as loaded: immutable, shared between threads through TaskPtr.
struct Task {
    std::string name;
    std::string description;
    std::filesystem::path folder;
    std::string kind = "cpu_cpp";  ///< of the candidates; the sources below are those of this kind
    std::vector<Axis> axes;
    std::vector<TensorSpec> inputs;
    std::vector<TensorSpec> outputs;
    std::vector<Distribution> distributions;
    std::vector<Workload> workloads;
    Tolerance tolerance;
    PrecisionPolicy precision;
    /// Work of one launch, as an expression over axes; empty when not stated ("0": there is none).
    std::string flops;
    std::string bytes;  ///< bytes that must move at least once, likewise
    /// Accumulates in double. C++ (reward/launch_contract.hpp) or, for kinds on a GPU, CUDA C++
    /// (reward/cuda/recording_source.hpp).
    std::string reference_source;
    std::vector<Starter> starters;  ///< the first is the default baseline
    std::vector<Baseline> baselines;
    std::vector<std::string> allowed_flags;  ///< compiler flags the tune operator may choose from
    std::optional<ExternalEvaluator> external;
    Digest digest;  ///< of everything above that can change a verdict, the oracle included
};

using TaskPtr = std::shared_ptr<const Task>;

/// Loads a task folder (definition.json, workload.jsonl, the reference, starters/, baselines/) for
/// candidates of one kind; an empty `kind` is the definition's own. One folder may serve several:
/// reference.cpp and starters/*.cpp are those of cpu_cpp, reference.cu and starters/*.cu those of
/// cuda (ptx and cubin too), and each kind has a digest of its own. Errors name file and key; a
/// kind that the task does not have is one. Sizes are limited (definition 1 MiB, 10,000 workloads,
/// 1 MiB per source); axis products that overflow or exceed k_max_tensor_bytes are errors.
[[nodiscard]] Expected<TaskPtr> load_task(const std::filesystem::path& folder,
                                          const std::string& kind = "");

/// The kinds whose candidates define launch(): those that a task with inputs can be loaded for.
[[nodiscard]] const std::vector<std::string>& launched_kinds();
/// The kind of a candidate by its file's name: .cu is cuda, .ptx is ptx, .cubin.json is cubin,
/// .cpp, .cc and .cxx are cpu_cpp; empty for others.
[[nodiscard]] std::string kind_of_file(const std::filesystem::path& file);
/// "cpu_cpp or cuda or ...": launched_kinds() for people.
[[nodiscard]] std::string launched_kinds_text();
/// The kind of the reference, starters and baselines that a task has for candidates of a kind of
/// launched_kinds(): cuda also for ptx and cubin.
[[nodiscard]] std::string source_kind(const std::string& kind);
/// Whether candidates of that kind run on a GPU.
[[nodiscard]] bool is_gpu_kind(const std::string& kind);
/// The extension, with its dot, of the sources of source_kind(kind): ".cpp", ".cu".
[[nodiscard]] std::string source_extension(const std::string& kind);
/// The file of `task` that holds its reference: reference.cpp, reference.cu.
[[nodiscard]] std::filesystem::path reference_file(const Task& task);
/// workload_<source kind>.jsonl where the task has one, since what is a long launch on one device
/// is a short one on another; else workload.jsonl.
[[nodiscard]] std::filesystem::path workload_file(const Task& task);

/// Finds a task by path, or by name in: $ATOLL_TASKS, ./experiments/tasks, and experiments/tasks
/// beside or above the program's own folder. The error lists the names that exist.
[[nodiscard]] Expected<std::filesystem::path> find_task(const std::string& name_or_path);
[[nodiscard]] std::vector<std::filesystem::path> list_tasks();

/// An argument of an external judge's command that begins so names a file that is shipped with the
/// program, wherever the task is: "{atoll}/openevolve_adapter.py".
inline constexpr std::string_view k_shipped_prefix = "{atoll}/";
/// Where that file is: in tools/python above the program's own folder. `argument` with the prefix.
[[nodiscard]] Expected<std::filesystem::path> find_shipped(const std::string& argument);

/// All axes (constants and expressions too) for one workload.
[[nodiscard]] Expected<std::map<std::string, std::int64_t>> bind_axes(const Task& task,
                                                                      const Workload& workload);

/// Element count of a tensor under bound axes; checked against overflow.
[[nodiscard]] Expected<std::int64_t> element_count(
    const TensorSpec& tensor, const std::map<std::string, std::int64_t>& bound_axes);

inline constexpr std::uint64_t k_max_tensor_bytes = 4ull << 30;

}  // namespace atl
