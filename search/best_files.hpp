#pragma once

#include "population/event.hpp"
#include "population/individual.hpp"
#include "reward/base/error.hpp"
#include "reward/candidate.hpp"
#include "reward/task.hpp"

#include <filesystem>
#include <string>

namespace atl {

/// The source as a file that stands alone, with its tune values in it as its kind writes them; for
/// kernels below a comment with where it came from and, of C++, the command that compiles it.
[[nodiscard]] std::string best_source(const Task& task, const Individual& individual,
                                      const Candidate& candidate, const Confirmed& confirmed,
                                      const std::string& verdict_json);

/// Writes best.cpp (best.cu for kind cuda, or the name that an external judge's task gives its
/// candidates) and best.json (id, ancestry, tune values, flags, confirmed numbers, verdict) into
/// `folder`, each durably.
[[nodiscard]] Status write_best_files(const std::filesystem::path& folder, const Task& task,
                                      const Individual& individual, const Candidate& candidate,
                                      const Confirmed& confirmed, const std::string& verdict_json);

/// Takes them away, where there are any.
[[nodiscard]] Status remove_best_files(const std::filesystem::path& folder, const Task& task);

/// Where write_best_files() puts the source.
[[nodiscard]] std::filesystem::path best_file(const std::filesystem::path& folder,
                                              const Task& task);

}  // namespace atl
