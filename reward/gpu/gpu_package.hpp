#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/cuda/plan.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// A CUDA program ready for one model of device: what a GPU's processes are given in one file
/// handle. Made by the supervisor, which has checked every plan (check_plan()) against the device
/// and the cubin; sealed, so that what was checked is what is run.
struct GpuPackage {
    std::string cubin;
    /// Plan of each workload of the task (index of Task::workloads); workloads that were not
    /// recorded (hidden ones, unless they take part) are missing.
    std::vector<std::pair<std::size_t, Plan>> plans;
    /// A compiler made the cubin here, so that keeps_state() can be believed; else it came from
    /// outside.
    bool compiled_here = true;
    /// calls_driver_code() of the cubin: what its kernels leave in the heap stays in the process.
    bool leaves_heap = false;
    /// What the compiler says for keeps_state().
    bool touches_variables = true;
    /// local_memory_of() that kernel of its plans which takes most: the driver takes it at a
    /// launch.
    std::uint64_t local_bytes = 0;

    /// nullptr when the workload has none.
    [[nodiscard]] const Plan* plan_of(std::size_t workload) const;
};

/// Whether playing it may leave something in loaded code that keeps_state() does not tell of:
/// attributes of kernels, or what kernels write to variables that they do not name, whose addresses
/// the plan hands to them.
[[nodiscard]] bool leaves_traces(const Plan& plan);

/// A sealed memfd. Layout: 8 bytes magic, 8 bytes length of the JSON, the JSON, the cubin.
[[nodiscard]] Expected<FileHandle> write_gpu_package(const GpuPackage& package);
/// corrupt for what is no package.
[[nodiscard]] Expected<GpuPackage> read_gpu_package(const FileHandle& file);

/// All bytes of a file that came with a frame (the cubin of our kernels, say); corrupt for what is
/// no regular file of at most 1 GiB. `name` is for errors.
[[nodiscard]] Expected<std::string> read_whole_file(const FileHandle& file,
                                                    const std::string& name);

}  // namespace atl
