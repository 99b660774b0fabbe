// How long device code takes from text to machine code and facts: N distinct sources, spread over
// kernels of different weight, in K lanes. Each time is the wall time of DeviceCompiler::compile():
// frames, fork, jail, NVRTC, parsing of the cubin; no cache hits. The CPU time is that of the
// forked process alone; it says more on a busy machine, whose load is printed.

#include "reward/cuda/device_compiler.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr double k_target_p50_ms = 60;

struct Shape {
    const char* name;
    const char* headers;
    const char* body;  // of a kernel with float* a, const float* b, int n; SERIAL makes it distinct
};

constexpr Shape k_shapes[] = {
    {"add", "",
     "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
     "  if (i < n) a[i] += b[i] * SERIAL;\n"},
    {"row softmax", "",
     "  __shared__ float part[32];\n  float best = -INFINITY;\n"
     "  for (int i = threadIdx.x; i < n; i += blockDim.x) best = fmaxf(best, b[i] * SERIAL);\n"
     "  for (int o = 16; o > 0; o /= 2) best = fmaxf(best, __shfl_xor_sync(~0u, best, o));\n"
     "  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = best;\n  __syncthreads();\n"
     "  float sum = 0;\n"
     "  for (int i = threadIdx.x; i < n; i += blockDim.x) sum += expf(b[i] - part[0]);\n"
     "  for (int i = threadIdx.x; i < n; i += blockDim.x) a[i] = expf(b[i] - part[0]) / sum;\n"},
    {"halves", "#include <cuda_fp16.h>\n",
     "  half2* x = reinterpret_cast<half2*>(a);\n"
     "  x[threadIdx.x] = __hfma2(x[threadIdx.x], x[n], __float2half2_rn(SERIAL));\n"},
    {"register tile", "",
     "  __shared__ float s[8][128], t[8][128];\n  float acc[8][8] = {};\n"
     "  for (int k = 0; k < n; k += 8) {\n"
     "    s[threadIdx.x / 32][threadIdx.x % 32] = a[k + threadIdx.x] * SERIAL;\n"
     "    t[threadIdx.x / 32][threadIdx.x % 32] = b[k + threadIdx.x];\n    __syncthreads();\n"
     "#pragma unroll\n    for (int q = 0; q < 8; ++q)\n"
     "#pragma unroll\n      for (int i = 0; i < 8; ++i)\n"
     "#pragma unroll\n        for (int j = 0; j < 8; ++j)\n"
     "          acc[i][j] += s[q][threadIdx.x / 16 * 8 + i] * t[q][threadIdx.x % 16 * 8 + j];\n"
     "    __syncthreads();\n  }\n"
     "  for (int i = 0; i < 8; ++i)\n    for (int j = 0; j < 8; ++j) a[i * n + j] = acc[i][j];\n"},
    {"cooperative groups",
     "#include <cooperative_groups.h>\n#include <cooperative_groups/reduce.h>\n",
     "  namespace cg = cooperative_groups;\n"
     "  auto tile = cg::tiled_partition<32>(cg::this_thread_block());\n"
     "  float sum = cg::reduce(tile, b[threadIdx.x] * SERIAL, cg::plus<float>());\n"
     "  if (tile.thread_rank() == 0) a[blockIdx.x] = sum;\n"},
    {"cub", "#include <cub/block/block_reduce.cuh>\n",
     "  using Reduce = cub::BlockReduce<float, 128>;\n"
     "  __shared__ typename Reduce::TempStorage storage;\n"
     "  float sum = Reduce(storage).Sum(b[threadIdx.x] * SERIAL);\n"
     "  if (threadIdx.x == 0) a[0] = sum;\n"},
};

/// Nine of ten use no heavy headers, as kernels written by models do.
const Shape& shape_of(std::size_t serial) {
    const std::size_t turn = serial % 20;
    return k_shapes[turn == 18 ? 4 : turn == 19 ? 5 : turn % 4];
}

std::string source_of(const Shape& shape, std::size_t serial) {
    return std::string(shape.headers) + "#define SERIAL " + std::to_string(serial + 2) +
           ".5f\nextern \"C\" __global__ void k(float* a, const float* b, int n) {\n" + shape.body +
           "}\n";
}

double at_share(const std::vector<double>& sorted, double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

struct Times {
    std::vector<double> wall_ms;
    std::vector<double> cpu_ms;
};

void print_row(const char* name, Times times) {
    if (times.wall_ms.empty()) {
        return;
    }
    std::sort(times.wall_ms.begin(), times.wall_ms.end());
    std::sort(times.cpu_ms.begin(), times.cpu_ms.end());
    std::printf("| %s | %zu | %.0f | %.0f | %.0f | %.0f | %.0f |\n", name, times.wall_ms.size(),
                at_share(times.wall_ms, 0.5), at_share(times.wall_ms, 0.95), times.wall_ms.back(),
                at_share(times.cpu_ms, 0.5), at_share(times.cpu_ms, 0.95));
}

void print_table(const Times& times) {
    std::printf(
        "| kernel | n | p50, ms (target for all: %.0f) | p95, ms | longest, ms | CPU p50, ms "
        "| CPU p95, ms |\n|---|---|---|---|---|---|---|\n",
        k_target_p50_ms);
    for (const Shape& shape : k_shapes) {
        Times of_shape;
        for (std::size_t i = 0; i < times.wall_ms.size(); ++i) {
            if (&shape_of(i) == &shape) {
                of_shape.wall_ms.push_back(times.wall_ms[i]);
                of_shape.cpu_ms.push_back(times.cpu_ms[i]);
            }
        }
        print_row(shape.name, std::move(of_shape));
    }
    print_row("all", times);
}

int run(atl::DeviceCompiler& compiler, std::size_t count, std::size_t lanes,
        const std::string& architecture) {
    Times times{std::vector<double>(count), std::vector<double>(count)};
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> failed = false;
    const auto work = [&] {
        for (std::size_t i = next++; i < count && !failed; i = next++) {
            atl::DeviceCompileRequest request;
            request.source = source_of(shape_of(i), i);
            request.architecture = architecture;
            request.timeout_s = 60;
            const auto begin = std::chrono::steady_clock::now();
            const auto binary = compiler.compile(request);
            const std::chrono::duration<double, std::milli> took =
                std::chrono::steady_clock::now() - begin;
            times.wall_ms[i] = took.count();
            times.cpu_ms[i] = binary ? 1e3 * binary->cpu_seconds : 0;
            if (!binary || binary->status != atl::DeviceBinary::Status::ok) {
                std::fprintf(stderr, "%s: %s\n", shape_of(i).name,
                             binary ? binary->log.c_str() : binary.error().message().c_str());
                failed = true;
            }
        }
    };
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        threads.emplace_back(work);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    if (failed) {
        return 1;
    }
    print_table(times);
    std::printf("\n%.1f compilations per second\n", static_cast<double>(count) / wall.count());
    return 0;
}

double load() {
    double average = 0;
    return ::getloadavg(&average, 1) == 1 ? average : 0;
}

}  // namespace

int main(int argc, char** argv) {
    const long count = argc > 3 ? std::strtol(argv[3], nullptr, 10) : 500;
    const long lanes = argc > 4 ? std::strtol(argv[4], nullptr, 10) : 1;
    if (argc < 3 || argc > 6 || count < 1 || count > 1'000'000 || lanes < 1 || lanes > 64) {
        std::fprintf(
            stderr,
            "usage: bench_device_compile LIBNVRTC INCLUDE [COUNT [LANES [ARCHITECTURE]]]   "
            "(500 1 sm_90a)\n");
        return 2;
    }
    atl::DeviceCompilerOptions options;
    options.nvrtc = argv[1];
    options.include = argv[2];
    options.architecture = argc > 5 ? argv[5] : "sm_90a";
    options.required = atl::SandboxLevel::none;
    const double load_before = load();
    const auto begin = std::chrono::steady_clock::now();
    auto compiler = atl::DeviceCompiler::make(options);
    const std::chrono::duration<double> start = std::chrono::steady_clock::now() - begin;
    if (!compiler) {
        std::fprintf(stderr, "%s\n", compiler.error().message().c_str());
        return 3;
    }
    std::printf("%s, %s, %ld lanes on %u cores; warming up took %.1f s\n\n",
                (*compiler)->toolchain().c_str(), options.architecture.c_str(), lanes,
                std::thread::hardware_concurrency(), start.count());
    const int result = run(**compiler, static_cast<std::size_t>(count),
                           static_cast<std::size_t>(lanes), options.architecture);
    std::printf("load of the last minute: %.1f before, %.1f after (%ld is our own)\n", load_before,
                load(), lanes);
    return result;
}
