#pragma once

#include "reward/base/error.hpp"
#include "reward/candidate.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace atl {

inline constexpr std::size_t k_max_candidate_files = 1000;
inline constexpr std::size_t k_max_candidate_bytes = 16 << 20;  ///< all files of a folder together
inline constexpr std::size_t k_max_candidate_depth = 16;        ///< parts of a path
inline constexpr std::size_t k_max_candidate_path_bytes = 512;

/// Reads a candidate as its user has it: a file gives `source`, a folder `files` (all of it, sorted
/// by path; empty folders are not kept). Links inside a folder, special files (a FIFO would be
/// waited for) and what is above the limits are errors. A single file may be longer than allowed,
/// up to twice, so that a verdict can say so.
[[nodiscard]] Status read_candidate(const std::filesystem::path& path, Candidate& candidate);

/// What is wrong with the files of a candidate that came from anywhere: counts, sizes, and paths
/// that are absolute, climb with "..", or are not in order. nullopt: nothing. Pure.
[[nodiscard]] std::optional<std::string> complaint_about_files(
    const std::vector<CandidateFile>& files);

/// Writes a candidate to `path`, a file or a new folder, with its tune values filled in. REQUIRES
/// files without complaint.
[[nodiscard]] Status write_candidate(const std::filesystem::path& path, const Candidate& candidate);

}  // namespace atl
