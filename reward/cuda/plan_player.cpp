#include "reward/cuda/plan_player.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

namespace atl {

namespace {

/// A stream takes about 1024 entries before queueing blocks (seen on an H200), and who queues
/// behind a kernel that hangs would never come back. So many steps are left behind one another at
/// most; what else is queued before a timed plan fits beside them.
constexpr std::size_t k_most_queued = 500;
constexpr std::chrono::microseconds k_ask_every{20};

/// What a new program finds in scratch memory, whatever was there: NaN as a float, -1 as an
/// integer.
constexpr unsigned char k_scratch = 0xFF;
/// A process that leaves the device, with the memory of whoever ran in it, takes some 100 ms.
constexpr std::chrono::milliseconds k_memory_patience{500};
constexpr std::chrono::milliseconds k_ask_memory_every{10};
/// What cudaMalloc() aligns to.
constexpr std::uint64_t k_scratch_alignment = 512;

template <class Ask>
cuda::Result ask_while_memory_is_short(const Ask& ask) {
    cuda::Result result = ask();
    if (result == cuda::k_out_of_memory) {
        const auto last = std::chrono::steady_clock::now() + k_memory_patience;
        while (result == cuda::k_out_of_memory && std::chrono::steady_clock::now() < last) {
            std::this_thread::sleep_for(k_ask_memory_every);
            result = ask();
        }
    }
    return result;
}

std::uint64_t round_up(std::uint64_t bytes, std::uint64_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

/// A refusal of the driver that lies in what the candidate asked for; every other failure is ours.
Status check_candidate(const DriverLibrary& driver, cuda::Result result, const char* call,
                       const std::string& about) {
    Status status = driver.check(result, call);
    if (!status && is_refusal(result)) {
        status.error().code = ErrorCode::invalid_argument;
        status.error().where = about;
    }
    return status;
}

cuda::LaunchAttribute attribute(cuda::LaunchAttributeId id, std::uint32_t value) {
    cuda::LaunchAttribute made;
    made.id = id;
    made.value[0] = value;
    return made;
}

std::vector<cuda::LaunchAttribute> attributes_of(const PlanLaunch& launch) {
    std::vector<cuda::LaunchAttribute> attributes;
    if (launch.cooperative) {
        attributes.push_back(attribute(cuda::LaunchAttributeId::cooperative, 1));
    }
    if (launch.programmatic) {
        attributes.push_back(attribute(cuda::LaunchAttributeId::programmatic, 1));
    }
    if (launch.cluster != PlanDim{0, 0, 0}) {
        cuda::LaunchAttribute cluster = attribute(cuda::LaunchAttributeId::cluster, 0);
        std::copy(launch.cluster.begin(), launch.cluster.end(), cluster.value.begin());
        attributes.push_back(cluster);
    }
    return attributes;
}

void put_pointer(std::vector<std::uint8_t>& bytes, std::uint32_t at, cuda::Address address) {
    std::memcpy(bytes.data() + at, &address, sizeof(address));
}

}  // namespace

bool is_refusal(cuda::Result result) {
    switch (result) {
        case cuda::k_invalid_value:
        case cuda::k_invalid_image:
        case cuda::k_no_binary_for_device:
        case cuda::k_invalid_ptx:
        case cuda::k_not_found:
        case cuda::k_launch_out_of_resources:
        case cuda::k_cooperative_launch_too_large:
        case cuda::k_not_supported:
        case cuda::k_invalid_cluster_size:
            return true;
        default:
            return false;
    }
}

Expected<std::shared_ptr<const PlanModule>> PlanModule::load(const Gpu& gpu,
                                                             std::string_view cubin) {
    const std::string image(cubin);  // the driver wants no length: behind it must be something
    cuda::Module module = nullptr;
    const cuda::Result result = ask_while_memory_is_short(
        [&] { return gpu.call().module_load_data(&module, image.data()); });
    if (result == cuda::k_out_of_memory) {
        return failure(ErrorCode::no_space, "its variables do not fit on the device", "cubin");
    }
    ATOLL_TRY(check_candidate(gpu.driver(), result, "cuModuleLoadData", "cubin"));
    Loaded loaded(module, UnloadModule{gpu.call().module_unload});
    return std::shared_ptr<const PlanModule>(new PlanModule(std::move(loaded)));
}

Expected<PlanPlayer> PlanPlayer::load(const Gpu& gpu, std::string_view cubin, const Plan& plan) {
    ATOLL_TRY_ASSIGN(auto module, PlanModule::load(gpu, cubin));
    return load(gpu, std::move(module), plan);
}

Expected<PlanPlayer> PlanPlayer::load(const Gpu& gpu, std::shared_ptr<const PlanModule> module,
                                      const Plan& plan) {
    PlanPlayer player(gpu, std::move(module), plan);
    ATOLL_TRY(player.find_kernels());
    ATOLL_TRY(player.find_symbols());
    ATOLL_TRY(player.take_scratch());
    ATOLL_TRY(player.apply_settings());
    player.prepare_launches();
    return player;
}

Status PlanPlayer::find_kernels() {
    const auto find = [this](const std::string& name) -> Status {
        if (m_functions.contains(name)) {
            return {};
        }
        cuda::Function function = nullptr;
        ATOLL_TRY(check_candidate(
            m_gpu->driver(),
            m_gpu->call().module_get_function(&function, m_module->handle(), name.c_str()),
            "cuModuleGetFunction", "kernel " + name));
        m_functions[name] = function;
        return {};
    };
    for (const PlanStep& step : m_plan.steps) {
        if (const auto* launch = std::get_if<PlanLaunch>(&step.what)) {
            ATOLL_TRY(find(launch->kernel));
        }
    }
    for (const PlanKernelSettings& settings : m_plan.settings) {
        ATOLL_TRY(find(settings.kernel));
    }
    return {};
}

Status PlanPlayer::check_parameters() const {
    const auto ask = m_gpu->call().function_parameter;
    if (ask == nullptr) {
        return failure(ErrorCode::unavailable, "there is no cuFuncGetParamInfo", "CUDA driver",
                       "machine code from elsewhere needs a driver of CUDA 12.4 or later");
    }
    for (const PlanStep& step : m_plan.steps) {
        const auto* launch = std::get_if<PlanLaunch>(&step.what);
        if (launch == nullptr) {
            continue;
        }
        const cuda::Function function = m_functions.at(launch->kernel);
        for (std::size_t i = 0; i <= launch->arguments.size(); ++i) {
            std::size_t offset = 0;
            std::size_t bytes = 0;
            const bool there = ask(function, i, &offset, &bytes) == cuda::k_success;
            const std::size_t planned =
                i < launch->arguments.size() ? launch->arguments[i].bytes.size() : 0;
            if ((there ? bytes : 0) != planned) {
                return failure(
                    ErrorCode::invalid_argument,
                    fmt::format("the driver knows {} bytes of parameter {}, the plan has {}",
                                there ? bytes : 0, i, planned),
                    "kernel " + launch->kernel);
            }
        }
    }
    return {};
}

Status PlanPlayer::find_symbols() {
    for (const PlanSymbol& symbol : m_plan.symbols) {
        cuda::Address address = 0;
        std::size_t bytes = 0;
        ATOLL_TRY(check_candidate(m_gpu->driver(),
                                  m_gpu->call().module_get_global(
                                      &address, &bytes, m_module->handle(), symbol.name.c_str()),
                                  "cuModuleGetGlobal", "variable " + symbol.name));
        if (bytes < symbol.bytes) {
            return failure(
                ErrorCode::invalid_argument,
                fmt::format("has {} bytes on the device and {} in the plan", bytes, symbol.bytes),
                "variable " + symbol.name);
        }
        m_symbols.push_back(address);
    }
    return {};
}

/// All of it in one allocation of whole pages: what lies behind it in the last one is the
/// candidate's too, and is overwritten with it.
Status PlanPlayer::take_scratch() {
    for (const std::uint64_t bytes : m_plan.scratch) {
        m_scratch_at.push_back(m_scratch_bytes);
        m_scratch_bytes += round_up(std::max<std::uint64_t>(bytes, 1), k_scratch_alignment);
    }
    if (m_scratch_bytes == 0) {
        return {};
    }
    m_scratch_bytes = round_up(m_scratch_bytes, m_gpu->granularity());
    Expected<GpuBuffer> buffer = GpuBuffer::allocate(*m_gpu, m_scratch_bytes);
    const Clock::time_point last = Clock::now() + k_memory_patience;
    while (!buffer && buffer.error().code == ErrorCode::no_space && Clock::now() < last) {
        std::this_thread::sleep_for(k_ask_memory_every);
        buffer = GpuBuffer::allocate(*m_gpu, m_scratch_bytes);
    }
    if (!buffer) {
        Error error = buffer.error();
        if (error.code == ErrorCode::no_space) {
            error = {ErrorCode::no_space,
                     fmt::format("its {} bytes of scratch memory do not fit", m_scratch_bytes),
                     "scratch memory", ""};
        }
        return tl::unexpected(std::move(error));
    }
    m_scratch.emplace(std::move(*buffer));
    ATOLL_TRY_ASSIGN(const GpuStream stream, GpuStream::create(*m_gpu));
    ATOLL_TRY(clear_scratch(stream.handle()));
    return m_gpu->driver().check(m_gpu->call().stream_synchronize(stream.handle()),
                                 "cuStreamSynchronize");
}

Status PlanPlayer::clear_scratch(cuda::Stream stream) const {
    if (!m_scratch) {
        return {};
    }
    return m_gpu->driver().check(
        m_gpu->call().memset_bytes(m_scratch->begin(), k_scratch, m_scratch_bytes, stream),
        "cuMemsetD8Async");
}

Status PlanPlayer::apply_settings() {
    for (const PlanKernelSettings& settings : m_plan.settings) {
        const cuda::Function function = m_functions.at(settings.kernel);
        const auto set = [&](cuda::FunctionAttribute attribute, std::int64_t value) {
            return check_candidate(
                m_gpu->driver(),
                m_gpu->call().function_set_attribute(function, attribute, static_cast<int>(value)),
                "cuFuncSetAttribute", "kernel " + settings.kernel);
        };
        if (settings.max_dynamic_shared > 0) {
            ATOLL_TRY(set(cuda::k_max_dynamic_shared,
                          static_cast<std::int64_t>(settings.max_dynamic_shared)));
        }
        if (settings.shared_carveout >= 0) {
            ATOLL_TRY(set(cuda::k_shared_carveout, settings.shared_carveout));
        }
        if (settings.non_portable_cluster) {
            ATOLL_TRY(set(cuda::k_non_portable_cluster, 1));
        }
    }
    return {};
}

void PlanPlayer::prepare_launches() {
    m_ready.resize(m_plan.steps.size());
    for (std::size_t i = 0; i < m_ready.size(); ++i) {
        Ready& ready = m_ready[i];
        if (const auto* write = std::get_if<PlanWrite>(&m_plan.steps[i].what)) {
            ready.data.push_back(write->data.bytes);
        }
        const auto* launch = std::get_if<PlanLaunch>(&m_plan.steps[i].what);
        if (launch == nullptr) {
            continue;
        }
        ready.function = m_functions.at(launch->kernel);
        for (const PlanData& argument : launch->arguments) {
            ready.data.push_back(argument.bytes);
        }
        for (std::vector<std::uint8_t>& argument : ready.data) {
            ready.parameters.push_back(argument.data());
        }
        ready.attributes = attributes_of(*launch);
        ready.config.grid = launch->grid;
        ready.config.block = launch->block;
        ready.config.shared_bytes = static_cast<unsigned>(launch->shared_bytes);
        ready.config.attributes = ready.attributes.empty() ? nullptr : ready.attributes.data();
        ready.config.attribute_count = static_cast<unsigned>(ready.attributes.size());
    }
}

cuda::Address PlanPlayer::resolve(const PlanAddress& address, const PlanTensors& tensors) const {
    switch (address.buffer) {
        case PlanAddress::Buffer::input:
            return tensors.inputs[address.index] + address.offset;
        case PlanAddress::Buffer::output:
            return tensors.outputs[address.index] + address.offset;
        case PlanAddress::Buffer::scratch:
            return m_scratch->begin() + m_scratch_at[address.index] + address.offset;
        case PlanAddress::Buffer::symbol:
            return m_symbols[address.index] + address.offset;
    }
    return 0;
}

Status PlanPlayer::encode_maps(const PlanTensors& tensors) {
    m_maps.resize(m_plan.tensor_maps.size());
    for (std::size_t i = 0; i < m_maps.size(); ++i) {
        const PlanTensorMap& map = m_plan.tensor_maps[i];
        const auto narrow = [](const std::array<std::uint64_t, 5>& from) {
            std::array<std::uint32_t, 5> to{};
            std::transform(from.begin(), from.end(), to.begin(),
                           [](std::uint64_t value) { return static_cast<std::uint32_t>(value); });
            return to;
        };
        const auto box = narrow(map.box);
        const auto element_strides = narrow(map.element_strides);
        const auto as_int = [](std::uint32_t value) { return static_cast<int>(value); };
        ATOLL_TRY(check_candidate(
            m_gpu->driver(),
            m_gpu->call().tensor_map_encode_tiled(
                m_maps[i].bytes.data(), as_int(map.data_type), map.rank,
                reinterpret_cast<void*>(resolve(map.address, tensors)), map.dims.data(),
                map.strides.data(), box.data(), element_strides.data(), as_int(map.interleave),
                as_int(map.swizzle), as_int(map.l2_promotion), as_int(map.oob_fill)),
            "cuTensorMapEncodeTiled", fmt::format("tensor map {}", i)));
    }
    return {};
}

void PlanPlayer::put(const PlanData& data, const PlanTensors& tensors,
                     std::vector<std::uint8_t>& bytes) const {
    for (const PlanRelocation& pointer : data.pointers) {
        put_pointer(bytes, pointer.at, resolve(pointer.target, tensors));
    }
    for (const PlanMapUse& use : data.maps) {
        std::copy_n(m_maps[use.index].bytes.begin(), k_tensor_map_bytes,
                    bytes.begin() + static_cast<std::ptrdiff_t>(use.at));
    }
}

Status PlanPlayer::bind(const PlanTensors& tensors) {
    if (tensors.inputs.size() != m_plan.inputs.size() ||
        tensors.outputs.size() != m_plan.outputs.size()) {
        return failure(ErrorCode::internal, "the plan is of another number of tensors", "plan");
    }
    ATOLL_TRY(encode_maps(tensors));
    for (std::size_t i = 0; i < m_ready.size(); ++i) {
        Ready& ready = m_ready[i];
        const auto& what = m_plan.steps[i].what;
        if (const auto* launch = std::get_if<PlanLaunch>(&what)) {
            for (std::size_t a = 0; a < launch->arguments.size(); ++a) {
                put(launch->arguments[a], tensors, ready.data[a]);
            }
        } else if (const auto* write = std::get_if<PlanWrite>(&what)) {
            put(write->data, tensors, ready.data.front());
            ready.to = resolve(write->to, tensors);
        } else if (const auto* copy = std::get_if<PlanCopy>(&what)) {
            ready.to = resolve(copy->to, tensors);
            ready.from = resolve(copy->from, tensors);
        } else if (const auto* set = std::get_if<PlanMemset>(&what)) {
            ready.to = resolve(set->to, tensors);
        }
    }
    return {};
}

cuda::Result PlanPlayer::play(cuda::Stream stream, Clock::time_point deadline) {
    for (std::size_t i = 0; i < m_ready.size(); ++i) {
        if (i > 0 && i % k_most_queued == 0) {
            if (const cuda::Result result = wait(stream, deadline); result != cuda::k_success) {
                return result;
            }
        }
        m_last_step = i;
        if (const cuda::Result result = play_step(i, stream); result != cuda::k_success) {
            return result;
        }
    }
    return cuda::k_success;
}

cuda::Result PlanPlayer::wait(cuda::Stream stream, Clock::time_point deadline) const {
    for (;;) {
        const cuda::Result result = m_gpu->call().stream_query(stream);
        if (result != cuda::k_not_ready || Clock::now() >= deadline) {
            return result;
        }
        std::this_thread::sleep_for(k_ask_every);
    }
}

cuda::Result PlanPlayer::play_step(std::size_t index, cuda::Stream stream) {
    Ready& ready = m_ready[index];
    const auto& call = m_gpu->call();
    const auto& what = m_plan.steps[index].what;
    if (const auto* copy = std::get_if<PlanCopy>(&what)) {
        return call.copy_on_device(ready.to, ready.from, copy->bytes, stream);
    }
    if (const auto* set = std::get_if<PlanMemset>(&what)) {
        return call.memset_bytes(ready.to, set->value, set->bytes, stream);
    }
    if (std::holds_alternative<PlanWrite>(what)) {
        const std::vector<std::uint8_t>& bytes = ready.data.front();
        return call.copy_to_device(ready.to, bytes.data(), bytes.size(), stream);
    }
    ready.config.stream = stream;
    // The kernel's local memory may be short; what is refused did nothing.
    return ask_while_memory_is_short([&] {
        return call.launch_kernel(&ready.config, ready.function, ready.parameters.data(), nullptr);
    });
}

}  // namespace atl
