#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/cuda/kernel_facts.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Device code compiled for one architecture, or why there is none.
struct DeviceBinary {
    enum class Status { ok, error, limit };  ///< limit: time, memory or output exhausted
    Status status = Status::error;
    /// When ok: a sealed memfd with the cubin, which several holders may read.
    std::shared_ptr<const FileHandle> cubin;
    std::uint64_t bytes = 0;
    std::vector<KernelFacts> kernels;  ///< when ok: at least one
    std::vector<std::string> names;    ///< when ok: as linked, one for each name expression
    bool touches_variables = true;     ///< NvrtcOutput::touches_variables
    std::string log;                   ///< trimmed to the cause; empty when ok
    double seconds = 0;                ///< wall time of the compiler's process; 0 when cached
    double cpu_seconds = 0;            ///< its user and system time; 0 when cached
    bool cached = false;
};

/// What a compilation that worked has left: all that a DeviceBinary is made of.
struct DeviceArtifact {
    std::string log;  ///< of NVRTC, as it was
    /// A line that says whether variables are touched (name_of_use()), then names, one a line.
    std::string names;
    std::string cubin;
};

/// How DeviceArtifact::names says it.
[[nodiscard]] std::string name_of_use(bool touches_variables);

/// Reads the artifact's facts. A cubin without a kernel (NVRTC takes an empty or senseless text for
/// a good one) and one that cannot be read are errors of the candidate. An Expected error is a
/// fault of ours (no memory for the memfd).
[[nodiscard]] Expected<DeviceBinary> binary_from(const DeviceArtifact& artifact);

/// What a person or a prompt needs of NVRTC's log: the first errors with their excerpts, at most
/// 16 KiB. Reports of ptxas on what it made go, folders of `include` are cut from names, and so are
/// control characters and long lines. Linear.
[[nodiscard]] std::string trim_device_log(std::string_view log,
                                          const std::vector<std::string>& include);

}  // namespace atl
