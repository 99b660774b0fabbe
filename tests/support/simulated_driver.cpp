// A CUDA driver without a GPU, for tests: the functions that reward/cuda/driver_library loads, on
// the memory and threads of this process. A "cubin" is a shared object of this machine, and its
// kernels are functions
//
//     extern "C" int NAME(void** parameters, const unsigned* grid, const unsigned* block);
//
// which run once for a whole grid, in stream order, on a thread of the stream. They return the
// result that the launch ends with: 0, or a fault that sticks to the process as a real one does. A
// kernel that never returns is a hang; one that leaves its memory faults with an illegal address.
// Where there is `extern "C" const unsigned NAME_sizes[]`, the bytes of each parameter and then 0,
// a launch copies its parameters, as those of a real driver do. An image "result 214" is not loaded
// with that result. While there is a file named as the driver's, with ".gone" behind it, there is
// no device; with ".full", it has no memory left; with ".crowded", none that can be shared; with
// ".busy", none for code; with ".memory", as much memory as that file has bytes.

#include "reward/cuda/driver_types.hpp"
#include "tests/support/simulated_calls.hpp"
#include "tests/support/simulated_module.hpp"
#include "tests/support/simulated_observer.hpp"
#include "tests/support/simulated_stream.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace atl::cuda;             // NOLINT: what this file implements
using namespace atl::cuda::simulated;  // NOLINT

namespace {

constexpr Result k_not_initialized = 3;
constexpr Result k_invalid_context = 201;
constexpr int k_most_dynamic_shared = 227 << 10;

std::atomic<bool> g_started = false;
std::atomic<int> g_contexts = 0;
std::atomic<const Observer*> g_observer = nullptr;

struct FunctionTagData {
    std::string name;
    int (*run)(void**, const unsigned*, const unsigned*) = nullptr;
    const unsigned* sizes = nullptr;  ///< of its parameters; null: not known
};

/// Parameters of one launch, copied.
struct Parameters {
    Parameters(void** from, const unsigned* sizes) {
        for (; *sizes != 0; ++sizes, ++from) {
            const auto* const begin = static_cast<const unsigned char*>(*from);
            bytes.emplace_back(begin, begin + *sizes);
        }
    }
    std::vector<void*> pointers() {
        std::vector<void*> result;
        for (std::vector<unsigned char>& one : bytes) {
            result.push_back(one.data());
        }
        return result;
    }
    std::vector<std::vector<unsigned char>> bytes;
};

struct EventTagData {
    std::atomic<std::uint64_t> time{0};  ///< ns; 0: not reached
};

std::mutex g_mutex;
std::map<void*, FunctionTagData> g_functions;

Queue* queue_of(Stream stream) {
    return reinterpret_cast<Queue*>(stream);
}

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                      std::chrono::nanoseconds(1));
}

CodeMemory& code_memory() {
    static auto* const memory = new CodeMemory;  // a hung kernel may run in it to the end
    return *memory;
}

CodeModule* module_of(Module module) {
    return reinterpret_cast<CodeModule*>(module);
}

/// Of the file named as this library, with a dot and `what` behind it; none where there is none.
std::optional<std::size_t> size_told(const std::string& what) {
    Dl_info about{};
    struct stat file {};  // which a runner's jail allows
    return dladdr(reinterpret_cast<void*>(&module_of), &about) != 0 &&
                   stat((std::string(about.dli_fname) + "." + what).c_str(), &file) == 0
               ? std::optional(static_cast<std::size_t>(file.st_size))
               : std::nullopt;
}

}  // namespace

namespace atl::cuda::simulated {

bool is_told(const std::string& what) {
    return size_told(what).has_value();
}

Result state() {
    if (!g_started) {
        return k_not_initialized;
    }
    return g_contexts == 0 ? k_invalid_context : g_fault.load();
}

Result queue(Stream stream, std::function<Result()> job) {
    const Result result = state();
    if (result == k_success) {
        queue_of(stream)->push(std::move(job));
    }
    return result;
}

Result queue(Stream stream, Activity kind, const std::string& name, std::function<Result()> job) {
    const Observer* const observer = g_observer;
    if (observer == nullptr) {
        return queue(stream, std::move(job));
    }
    return queue(stream, [=, call = observer->called(), work = std::move(job)] {
        const std::uint64_t start = now_ns();
        const Result result = work();
        observer->done(kind, name.c_str(), call, start, now_ns());
        return result;
    });
}

}  // namespace atl::cuda::simulated

extern "C" {

void simulatedObserve(const Observer* observer) {
    g_observer = observer;
}

Result cuInit(unsigned) {
    if (is_told("gone")) {
        return k_no_device;
    }
    if (!g_started.exchange(true)) {
        code_memory();
        struct sigaction action {};
        action.sa_handler = on_bad_access;
        action.sa_flags = SA_NODEFER;
        sigaction(SIGSEGV, &action, nullptr);
        sigaction(SIGBUS, &action, nullptr);
    }
    return k_success;
}

Result cuDriverGetVersion(int* version) {
    *version = 13000;
    return k_success;
}

Result cuGetErrorName(Result result, const char** name) {
    static const std::map<Result, const char*> names{
        {k_success, "CUDA_SUCCESS"},
        {k_invalid_value, "CUDA_ERROR_INVALID_VALUE"},
        {k_out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY"},
        {k_invalid_image, "CUDA_ERROR_INVALID_IMAGE"},
        {k_not_found, "CUDA_ERROR_NOT_FOUND"},
        {k_not_ready, "CUDA_ERROR_NOT_READY"},
        {k_illegal_address, "CUDA_ERROR_ILLEGAL_ADDRESS"},
        {k_no_device, "CUDA_ERROR_NO_DEVICE"},
        {k_ecc_uncorrectable, "CUDA_ERROR_ECC_UNCORRECTABLE"},
    };
    const auto found = names.find(result);
    *name = found == names.end() ? nullptr : found->second;
    return found == names.end() ? k_invalid_value : k_success;
}

Result cuGetErrorString(Result result, const char** text) {
    const char* name = nullptr;
    const Result known = cuGetErrorName(result, &name);
    *text = known == k_success ? "a simulated result" : nullptr;
    return known;
}

Result cuDeviceGetCount(int* count) {
    *count = 1;
    return g_started ? k_success : k_not_initialized;
}

Result cuDeviceGet(Device* device, int ordinal) {
    *device = ordinal;
    return ordinal == 0 ? k_success : k_invalid_value;
}

Result cuDeviceGetName(char* name, int bytes, Device) {
    std::strncpy(name, "simulated device", static_cast<std::size_t>(bytes));
    return k_success;
}

Result cuDeviceGetAttribute(int* value, int attribute, Device) {
    static const std::map<int, int> values{
        {k_major, 9},
        {k_minor, 0},
        {k_multiprocessors, 132},
        {k_pci_domain, 0},
        {k_pci_bus, 0x1b},
        {k_pci_device, 0},
        {k_l2_bytes, 256 << 10},  // small: flushing it takes time here
        {k_threads_per_multiprocessor, 2048},
        {k_blocks_per_multiprocessor, 32},
        {k_registers_per_multiprocessor, 65536},
        {k_shared_per_block, 48 << 10},
        {k_shared_per_block_optin, k_most_dynamic_shared},
        {k_shared_per_multiprocessor, 228 << 10},
        {k_shared_reserved_per_block, 1 << 10},
    };
    const auto found = values.find(attribute);
    *value = found == values.end() ? 0 : found->second;
    return found == values.end() ? k_invalid_value : k_success;
}

Result cuDeviceTotalMem_v2(std::size_t* bytes, Device) {
    const auto told = size_told("memory");
    *bytes = told ? *told : std::size_t{141} << 30;
    return k_success;
}

Result cuDevicePrimaryCtxRetain(Context* context, Device) {
    ++g_contexts;
    *context = reinterpret_cast<Context>(&g_contexts);
    return g_fault;
}

Result cuDevicePrimaryCtxRelease_v2(Device) {
    --g_contexts;
    return k_success;
}

Result cuCtxSetCurrent(Context) {
    return state();
}

Result cuCtxResetPersistingL2Cache() {
    return state();
}

Result cuModuleLoadData(Module* module, const void* image) {
    if (const Result result = state(); result != k_success) {
        return result;
    }
    constexpr const char* k_refused = "result ";
    if (std::strncmp(static_cast<const char*>(image), k_refused, std::strlen(k_refused)) == 0) {
        return std::atoi(static_cast<const char*>(image) + std::strlen(k_refused));
    }
    if (is_told("full") || is_told("busy")) {
        return k_out_of_memory;
    }
    CodeModule* const loaded = CodeModule::load(image, code_memory());
    *module = reinterpret_cast<Module>(loaded);
    return loaded == nullptr ? k_invalid_image : k_success;
}

Result cuModuleUnload(Module module) {
    delete module_of(module);
    return k_success;
}

Result cuModuleGetFunction(Function* function, Module module, const char* name) {
    const auto found = module_of(module)->find(name);
    if (!found) {
        return k_not_found;
    }
    const std::lock_guard lock(g_mutex);
    FunctionTagData& data = g_functions[found->address];
    data.name = name;
    data.run = reinterpret_cast<int (*)(void**, const unsigned*, const unsigned*)>(found->address);
    data.sizes = static_cast<const unsigned*>(module_of(module)
                                                  ->find(std::string(name) + "_sizes")
                                                  .value_or(CodeModule::Symbol{})
                                                  .address);
    *function = reinterpret_cast<Function>(&data);
    return state();
}

Result cuModuleGetGlobal_v2(Address* address, std::size_t* bytes, Module module, const char* name) {
    const auto found = module_of(module)->find(name);
    if (!found) {
        return k_not_found;
    }
    *address = reinterpret_cast<Address>(found->address);
    *bytes = found->bytes;
    return state();
}

Result cuFuncSetAttribute(Function, int attribute, int value) {
    if (attribute == k_max_dynamic_shared && value > k_most_dynamic_shared) {
        return k_invalid_value;
    }
    return state();
}

Result cuFuncGetParamInfo(Function function, std::size_t index, std::size_t* offset,
                          std::size_t* bytes) {
    const unsigned* const sizes = reinterpret_cast<FunctionTagData*>(function)->sizes;
    if (sizes == nullptr) {
        return k_invalid_value;
    }
    *offset = 0;
    for (std::size_t i = 0; i < index; ++i) {
        if (sizes[i] == 0) {
            return k_invalid_value;
        }
        *offset += sizes[i];
    }
    *bytes = sizes[index];
    return *bytes == 0 ? k_invalid_value : state();
}

Result cuLaunchKernelEx(const LaunchConfig* config, Function function, void** parameters, void**) {
    const std::uint64_t threads =
        std::uint64_t{config->block[0]} * config->block[1] * config->block[2];
    if (threads == 0 || threads > 1024 || config->shared_bytes > k_most_dynamic_shared) {
        return k_invalid_value;
    }
    if (is_told("full")) {
        return k_out_of_memory;
    }
    const auto [name, run, sizes] = *reinterpret_cast<FunctionTagData*>(function);
    if (sizes != nullptr) {
        return queue(config->stream, k_kernel, name,
                     [run = run, copy = Parameters(parameters, sizes), grid = config->grid,
                      block = config->block]() mutable {
                         return run(copy.pointers().data(), grid.data(), block.data());
                     });
    }
    // How long parameters are only the kernel knows, so the caller's must stay until the stream is
    // done, which those of a player do.
    return queue(config->stream, k_kernel, name,
                 [run = run, parameters, grid = config->grid, block = config->block] {
                     return run(parameters, grid.data(), block.data());
                 });
}

// A simulated map begins with the address, the rank, and the first dimension.
Result cuTensorMapEncodeTiled(void* map, int, std::uint32_t rank, void* address,
                              const std::uint64_t* dims, const std::uint64_t*, const std::uint32_t*,
                              const std::uint32_t*, int, int, int, int) {
    if (rank == 0 || rank > 5 || reinterpret_cast<std::uintptr_t>(map) % 64 != 0 ||
        reinterpret_cast<std::uintptr_t>(address) % 16 != 0) {
        return k_invalid_value;
    }
    const std::array<std::uint64_t, 3> said{reinterpret_cast<std::uint64_t>(address), rank,
                                            dims[0]};
    std::memcpy(map, said.data(), sizeof(said));
    return k_success;
}

Result cuStreamCreate(Stream* stream, unsigned) {
    if (const Result result = state(); result != k_success) {
        return result;
    }
    *stream = reinterpret_cast<Stream>(new Queue);
    return k_success;
}

Result cuStreamDestroy_v2(Stream stream) {
    Queue::end(queue_of(stream));
    return k_success;
}

Result cuStreamQuery(Stream stream) {
    const bool idle =
        queue_of(stream)->idle();  // first: a fault is noted before the queue is empty
    const Result result = state();
    return result != k_success || idle ? result : k_not_ready;
}

Result cuStreamSynchronize(Stream stream) {
    queue_of(stream)->wait();
    return state();
}

Result cuEventCreate(Event* event, unsigned) {
    *event = reinterpret_cast<Event>(new EventTagData);
    return state();
}

Result cuEventDestroy_v2(Event event) {
    delete reinterpret_cast<EventTagData*>(event);
    return k_success;
}

Result cuEventRecord(Event event, Stream stream) {
    auto* const data = reinterpret_cast<EventTagData*>(event);
    data->time = 0;
    return queue(stream, [data] {
        data->time = now_ns();
        return k_success;
    });
}

Result cuEventElapsedTime(float* time, Event begin, Event end) {
    const auto from = reinterpret_cast<EventTagData*>(begin)->time.load();
    const auto to = reinterpret_cast<EventTagData*>(end)->time.load();
    *time = static_cast<float>(static_cast<double>(to - from) * 1e-6);
    return from == 0 || to == 0 ? k_not_ready : state();
}

}  // extern "C"
