#include "reward/gpu/device_probe.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/cuda/gpu.hpp"
#include "reward/worker_process.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <limits>
#include <utility>

namespace atl {

namespace {

/// A driver that has not been used since the machine started takes seconds.
constexpr std::chrono::milliseconds k_patience{60'000};
constexpr std::size_t k_most_bytes = 64 << 10;

/// Calls `visit` with the name and the value of every number of a device.
template <class Limits, class Visit>
void visit_numbers(Limits& limits, const Visit& visit) {
    visit("major", limits.major);
    visit("minor", limits.minor);
    visit("multiprocessors", limits.multiprocessors);
    visit("warp_size", limits.warp_size);
    visit("threads_per_block", limits.threads_per_block);
    visit("block_x", limits.block[0]);
    visit("block_y", limits.block[1]);
    visit("block_z", limits.block[2]);
    visit("grid_x", limits.grid[0]);
    visit("grid_y", limits.grid[1]);
    visit("grid_z", limits.grid[2]);
    visit("threads_per_multiprocessor", limits.threads_per_multiprocessor);
    visit("blocks_per_multiprocessor", limits.blocks_per_multiprocessor);
    visit("registers_per_block", limits.registers_per_block);
    visit("registers_per_multiprocessor", limits.registers_per_multiprocessor);
    visit("shared_per_block", limits.shared_per_block);
    visit("shared_per_block_optin", limits.shared_per_block_optin);
    visit("shared_per_multiprocessor", limits.shared_per_multiprocessor);
    visit("shared_reserved_per_block", limits.shared_reserved_per_block);
    visit("parameter_bytes", limits.parameter_bytes);
    visit("cluster_blocks", limits.cluster_blocks);
    visit("cluster_blocks_optin", limits.cluster_blocks_optin);
    visit("l2_bytes", limits.l2_bytes);
    visit("memory_bytes", limits.memory_bytes);
}

Expected<DeviceLimits> ask_driver(const WorkerArguments& arguments) {
    ATOLL_TRY_ASSIGN(const DriverLibrary driver, DriverLibrary::open(arguments.driver));
    ATOLL_TRY_ASSIGN(const Gpu gpu, Gpu::open(driver, arguments.gpu));
    return gpu.limits();
}

}  // namespace

std::string to_json(const DeviceLimits& limits) {
    nlohmann::json json{{"name", limits.name}, {"arch", limits.arch}};
    visit_numbers(limits, [&](const char* name, const auto& value) { json[name] = value; });
    return dump_json(json);
}

Expected<DeviceLimits> parse_device_limits(std::string_view text) {
    ATOLL_TRY_ASSIGN(const nlohmann::json json, parse_json_object(text, k_most_bytes, "device"));
    DeviceLimits limits;
    JsonReader reader(json, "device");
    reader.text("name", limits.name, 256).text("arch", limits.arch, 32);
    visit_numbers(limits, [&](const char* name, auto& value) {
        using Number = std::remove_reference_t<decltype(value)>;
        reader.integer(name, value, 0, std::numeric_limits<Number>::max());
    });
    ATOLL_TRY(reader.finish());
    return limits;
}

Expected<DeviceLimits> probe_gpu(const std::string& driver, int ordinal,
                                 const std::string& worker_program) {
    WorkerOptions options;
    options.program = worker_program;
    options.driver = driver;
    options.gpu = ordinal;
    ATOLL_TRY_ASSIGN(WorkerProcess probe, WorkerProcess::start(WorkerRole::gpu_probe, options, 1));
    ATOLL_TRY_ASSIGN(const Frame answer, probe.channel().receive(k_patience));
    if (answer.type == FrameType::failed) {
        return tl::unexpected(parse_failed_frame(answer));
    }
    if (answer.type != FrameType::gpu_started) {
        return failure(ErrorCode::corrupt, "sent a frame out of turn", "GPU probe");
    }
    return parse_device_limits(answer.payload);
}

int serve_gpu_probe(const WorkerArguments& arguments, FrameChannel supervisor) {
    Frame ready;
    ready.type = FrameType::ready;
    ready.generation = arguments.generation;
    ready.payload = to_json(WorkerReady{});
    if (!supervisor.send(ready)) {
        return 1;
    }
    const Expected<DeviceLimits> limits = ask_driver(arguments);
    Frame answer;
    if (limits) {
        answer.type = FrameType::gpu_started;
        answer.payload = to_json(*limits);
    } else {
        answer = make_failed_frame(0, limits.error());
    }
    answer.generation = arguments.generation;
    return supervisor.send(answer) ? 0 : 1;
}

}  // namespace atl
