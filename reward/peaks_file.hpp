#pragma once

#include "reward/device_peaks.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace atl {

/// The highest peaks (and the smallest issue ratio) seen so far, kept in small JSON
/// files, so that shares of the speed of light compare between processes: one measurement is low
/// when the machine was busy, never high.

/// The peaks of a campaign, in its run folder.
inline constexpr const char* k_run_peaks_file = "peaks.json";

/// Of this CPU model for this user: peaks-HASH.json in $XDG_CACHE_HOME/atoll or ~/.cache/atoll.
/// Empty when the environment names neither.
[[nodiscard]] std::filesystem::path user_peaks_file();

/// What one file holds.
struct KeptPeaks {
    double flops = 0;
    double bandwidth = 0;
    CoreBest core;  ///< its clock is the reference
};

/// What highest_peaks() would take from the file; 0 for what counts for nothing.
[[nodiscard]] KeptPeaks kept_peaks(const std::filesystem::path& file, const std::string& model,
                                   const DevicePeaks& measured);

/// The highest of `measured` and what the files hold of CPU `model`, which is then what they hold.
/// Files that are missing, damaged or of another model count for nothing, and so does a number that
/// is more than ten times what was measured; one that cannot be written stays as it is: the
/// measurement stands without it.
/// The clock is no peak but the reference that times are stated at: a file keeps the first one it
/// got, and of several files the last one's counts (the run's own, after the user's), so that all
/// sessions of a campaign, and all answers of one cache, are at one frequency.
[[nodiscard]] DevicePeaks highest_peaks(const DevicePeaks& measured, const std::string& model,
                                        const std::vector<std::filesystem::path>& files);

}  // namespace atl
