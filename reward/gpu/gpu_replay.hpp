#pragma once

#include "reward/base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace atl {

/// What a checker that watches a process (compute-sanitizer) is given to watch: a program that
/// plays each plan of a package once, on buffers that end where the tensors end. It knows nothing
/// of tasks, answers or clocks, and runs no host code of a candidate.

/// The words after the worker program's name: "gpu_replay", the driver, the device's number, and a
/// folder with `package` (see GpuPackage) and, for each of its plans, `<workload>.inputs`: the
/// bytes of its tensor inputs one after the other.
[[nodiscard]] std::vector<std::string> replay_words(const std::string& driver, int gpu,
                                                    const std::filesystem::path& folder);
[[nodiscard]] std::filesystem::path replay_inputs_file(const std::filesystem::path& folder,
                                                       std::size_t workload);

inline constexpr const char* k_replay_word = "gpu_replay";

/// Exit statuses: 0 all was played, 1 a fault of ours (a word on standard error), 2 a plan ended in
/// a fault of its kernels.
[[nodiscard]] int play_replay(const std::vector<std::string>& words);

}  // namespace atl
