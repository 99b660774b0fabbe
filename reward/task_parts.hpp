#pragma once

#include "reward/base/words.hpp"
#include "reward/json_object.hpp"
#include "reward/task.hpp"

#include <string>

namespace atl {

/// The steps of load_task(), each in its own file. `where` is the file's path, for messages.

/// definition.json -> everything but sources and workloads.
[[nodiscard]] Status parse_definition(const std::string& json, const std::string& where, Task& task,
                                      std::vector<std::string>& baseline_files);

/// The `atoll` block of a definition (inputs and outputs are known already). Baseline sources are
/// left empty; their files are listed in `baseline_files`, in the order of task.baselines.
void parse_atoll_block(JsonObject block, Task& task, std::vector<std::string>& baseline_files);

/// Overrides the keys of `tolerance` that the object names.
void read_tolerance(JsonObject& object, Tolerance& tolerance);

/// workload.jsonl -> task.workloads.
[[nodiscard]] Status parse_workloads(const std::string& lines, const std::string& where,
                                     Task& task);

/// A text of the task, named relative to its folder. A link on the way is refused: folders come
/// from anybody, and what is read here is shown, compiled and recorded.
[[nodiscard]] Expected<std::string> read_task_file(const Task& task,
                                                   const std::filesystem::path& relative,
                                                   std::uint64_t max_bytes);

/// Makes a task of kind `kind`, if it is not empty, of one whose definition has been read.
[[nodiscard]] Status choose_kind(Task& task, const std::string& kind);

/// The reference, starters/ and baselines/ of task.folder that are of task.kind.
[[nodiscard]] Status read_sources(Task& task, std::vector<std::string> baseline_files);

/// What only the whole shows: names that clash, shapes and work over unknown axes, sizes that
/// overflow or are absurd under some workload.
[[nodiscard]] Status check_consistency(const Task& task, const std::string& where);

/// Of everything that can change a verdict; for external tasks that includes the judge's files.
[[nodiscard]] Expected<Digest> task_digest(const Task& task);

/// A C identifier that may be an argument of launch().
[[nodiscard]] bool is_identifier(const std::string& name);

inline constexpr std::uint64_t k_max_definition_bytes = 1 << 20;
inline constexpr std::uint64_t k_max_workload_file_bytes = 16 << 20;
inline constexpr std::size_t k_max_workloads = 10'000;
inline constexpr std::size_t k_max_axes = 64;
inline constexpr std::size_t k_max_tensors = 64;
inline constexpr std::size_t k_max_dimensions = 16;
inline constexpr std::size_t k_max_distributions = 32;
inline constexpr std::size_t k_max_starters = 64;
inline constexpr std::size_t k_max_baselines = 16;
inline constexpr std::size_t k_max_allowed_flags = 64;
inline constexpr int k_task_schema = 1;

}  // namespace atl
