#pragma once

#include <string>
#include <utility>
#include <vector>

namespace atl {

/// One part of what `atoll doctor` found. Keys are stable: scripts read them from --json.
struct DoctorSection {
    std::string name;  ///< "compilers", "sandbox", ...
    std::vector<std::pair<std::string, std::string>> facts;
    std::vector<std::string> problems;  ///< what keeps evaluations from running, with the remedy
    std::vector<std::string> advice;    ///< what would be better, with the remedy
};

[[nodiscard]] DoctorSection check_compilers();
[[nodiscard]] DoctorSection check_sandbox();
/// Cores, which of them would measure, and their measured peaks (takes about 0.3 s).
[[nodiscard]] DoctorSection check_devices();
/// NVIDIA driver, NVRTC, CUPTI and headers as find_cuda_toolkit() has them, whether CUDA candidates
/// can be judged on the first GPU, and nvcc; all may be missing.
[[nodiscard]] DoctorSection check_cuda();
/// Version, thread safety, and whether a file in the current folder can be read while written.
[[nodiscard]] DoctorSection check_hdf5();
[[nodiscard]] DoctorSection check_limits();
/// Evaluates a tiny task of its own, end to end, with the usual settings.
[[nodiscard]] DoctorSection check_evaluation();

/// The full path of a program, from $PATH unless it has a slash; empty when there is none.
[[nodiscard]] std::string find_program(const std::string& name);
/// The line of `program --version` that contains `word` (empty word: the first line).
[[nodiscard]] std::string version_line(const std::string& program, const std::string& word);

}  // namespace atl
