#include "reward/gpu/gpu_replay.hpp"

#include "reward/base/files.hpp"
#include "reward/cuda/plan_run.hpp"
#include "reward/gpu/gpu_package.hpp"

#include <fcntl.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace atl {

namespace {

constexpr std::uint64_t k_max_input_bytes = 16ull << 30;
constexpr std::chrono::minutes k_plan_limit{10};  ///< the caller's is shorter
constexpr std::size_t k_words = 4;

Expected<GpuPackage> read_package(const std::filesystem::path& folder) {
    const std::string path = folder / "package";
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        return tl::unexpected(errno_error("open", path, errno));
    }
    return read_gpu_package(file);
}

/// The buffers of one plan, each an allocation of its own, so that a checker sees its ends.
struct Buffers {
    std::vector<GpuBuffer> inputs;
    std::vector<GpuBuffer> outputs;
    PlanTensors tensors;
};

Expected<Buffers> make_buffers(const Gpu& gpu, const Plan& plan, std::string_view bytes,
                               cuda::Stream stream) {
    Buffers buffers;
    for (const std::uint64_t size : plan.inputs) {
        if (size > bytes.size()) {
            return failure(ErrorCode::corrupt, "the file of inputs is too short", "replay");
        }
        ATOLL_TRY_ASSIGN(GpuBuffer buffer, GpuBuffer::allocate(gpu, size));
        if (size > 0) {
            ATOLL_TRY(gpu.driver().check(
                gpu.call().copy_to_device(buffer.begin(), bytes.data(), size, stream),
                "cuMemcpyHtoDAsync"));
        }
        bytes.remove_prefix(size);
        buffers.tensors.inputs.push_back(buffer.begin());
        buffers.inputs.push_back(std::move(buffer));
    }
    for (const std::uint64_t size : plan.outputs) {
        ATOLL_TRY_ASSIGN(GpuBuffer buffer, GpuBuffer::allocate(gpu, size));
        buffers.tensors.outputs.push_back(buffer.begin());
        buffers.outputs.push_back(std::move(buffer));
    }
    return buffers;
}

/// How the plan ended.
Expected<PlanRun> play(const Gpu& gpu, const GpuPackage& package, const Plan& plan,
                       const std::string& inputs) {
    ATOLL_TRY_ASSIGN(const GpuStream stream, GpuStream::create(gpu));
    ATOLL_TRY_ASSIGN(const Buffers buffers, make_buffers(gpu, plan, inputs, stream.handle()));
    ATOLL_TRY_ASSIGN(PlanPlayer player, PlanPlayer::load(gpu, package.cubin, plan));
    ATOLL_TRY(player.bind(buffers.tensors));
    return run_plan(gpu, player, stream.handle(), k_plan_limit);
}

Expected<int> play_all(const std::vector<std::string>& words) {
    int ordinal = 0;
    const std::string& number = words[2];
    std::from_chars(number.data(), number.data() + number.size(), ordinal);
    const std::filesystem::path folder = words[3];
    ATOLL_TRY_ASSIGN(const GpuPackage package, read_package(folder));
    ATOLL_TRY_ASSIGN(const DriverLibrary driver, DriverLibrary::open(words[1]));
    ATOLL_TRY_ASSIGN(const Gpu gpu, Gpu::open(driver, ordinal));
    for (const auto& [workload, plan] : package.plans) {
        ATOLL_TRY_ASSIGN(const std::string inputs,
                         read_file(replay_inputs_file(folder, workload), k_max_input_bytes));
        ATOLL_TRY_ASSIGN(const PlanRun run, play(gpu, package, plan, inputs));
        if (run.end != PlanRun::End::done) {
            std::fprintf(stderr, "%s\n", run.reason(plan, driver).c_str());
            return run.outcome() ? 2 : 1;
        }
    }
    return 0;
}

}  // namespace

std::vector<std::string> replay_words(const std::string& driver, int gpu,
                                      const std::filesystem::path& folder) {
    return {k_replay_word, driver, std::to_string(gpu), folder.string()};
}

std::filesystem::path replay_inputs_file(const std::filesystem::path& folder,
                                         std::size_t workload) {
    return folder / (std::to_string(workload) + ".inputs");
}

int play_replay(const std::vector<std::string>& words) {
    const Expected<int> status =
        words.size() == k_words ? play_all(words)
                                : failure(ErrorCode::invalid_argument, "wrong words", "replay");
    if (!status) {
        std::fprintf(stderr, "%s\n", status.error().message().c_str());
        return 1;
    }
    return *status;
}

}  // namespace atl
