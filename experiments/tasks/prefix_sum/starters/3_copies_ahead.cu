// Blocks that stay: all of them are on the device at one time (a cooperative launch), one on each
// multiprocessor, and take tiles by turns. While a tile is scanned the next one's sum is already
// said and those after that are on their way into shared memory, so nobody waits for a sum that is
// not there yet. What comes before a tile is what came before the block's last one and the sums
// said since. A thread reads only what it copied itself. Tiles are a little smaller than there is
// room for, so that the last turn has work for all blocks.

#include <cooperative_groups.h>
#include <cuda_pipeline.h>

#ifndef BLOCK
#define BLOCK 512  // tune: 128, 256, 512
#endif
#ifndef ITEMS
#define ITEMS 6  // tune: 2, 4, 5, 6, 8
#endif
// Whether what was read is the first to leave the L2 cache.
#ifndef ONCE
#define ONCE 0  // tune: 0, 1
#endif

constexpr int k_warps = BLOCK / 32;
constexpr int k_segment = 128 * ITEMS;  // values of a warp
constexpr int k_tile = k_warps * k_segment;
constexpr int k_slots = 3;  // tiles in shared memory
constexpr int k_shared_bytes = k_slots * k_tile * 4;

// Begins to copy this thread's values of a segment of `count`; lane l of a warp has four at
// 128 g + 4 l for each g. Zeros beyond the end.
__device__ __forceinline__ void copy_segment(float* to, const float* from, int count) {
#if ONCE
    unsigned long long policy;
    asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
#endif
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        const int place = 128 * g + 4 * (threadIdx.x % 32);
        const int bytes = 4 * min(max(count - place, 0), 4);
#if ONCE
        asm volatile("cp.async.cg.shared.global.L2::cache_hint [%0], [%1], 16, %2, %3;" ::"r"(
                         static_cast<unsigned>(__cvta_generic_to_shared(to + place))),
                     "l"(from + (bytes > 0 ? place : 0)), "r"(bytes), "l"(policy)
                     : "memory");
#else
        __pipeline_memcpy_async(to + place, from + (bytes > 0 ? place : 0), 16, 16 - bytes);
#endif
    }
}

// The sum of a segment, for every lane.
__device__ __forceinline__ float sum_of_segment(const float* from) {
    float sum = 0.0f;
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        const float4 four =
            *reinterpret_cast<const float4*>(from + 128 * g + 4 * (threadIdx.x % 32));
        sum += (four.x + four.y) + (four.z + four.w);
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    return sum;
}

// Values become their sums from the segment's start on.
__device__ __forceinline__ void scan_segment(const float* from, float (&kept)[ITEMS][4]) {
    const int lane = threadIdx.x % 32;
    float sums[ITEMS];
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        const float4 four = *reinterpret_cast<const float4*>(from + 128 * g + 4 * lane);
        kept[g][0] = four.x;
        kept[g][1] = four.y + kept[g][0];
        kept[g][2] = four.z + kept[g][1];
        kept[g][3] = four.w + kept[g][2];
        sums[g] = kept[g][3];
    }
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
#pragma unroll
        for (int g = 0; g < ITEMS; ++g) {  // side by side: they do not wait for each other
            const float other = __shfl_up_sync(0xffffffffu, sums[g], step);
            sums[g] += lane >= step ? other : 0.0f;
        }
    }
    float before = 0.0f;
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        const float left = __shfl_up_sync(0xffffffffu, sums[g], 1);
        const float offset = before + (lane > 0 ? left : 0.0f);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            kept[g][i] += offset;
        }
        before += __shfl_sync(0xffffffffu, sums[g], 31);
    }
}

__device__ __forceinline__ void write_segment(float* to, int count, float offset,
                                              const float (&kept)[ITEMS][4]) {
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        const int at = 128 * g + 4 * (threadIdx.x % 32);
        if (at + 4 <= count) {
            *reinterpret_cast<float4*>(to + at) =
                make_float4(kept[g][0] + offset, kept[g][1] + offset, kept[g][2] + offset,
                            kept[g][3] + offset);
        } else {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                if (at + i < count) {
                    to[at + i] = kept[g][i] + offset;
                }
            }
        }
    }
}

// A tile's sum and, in the upper half, whether it is there; read and written as one.
constexpr unsigned long long k_said = 1ull << 32;

// region: sums_of_tiles
// The sums of tiles from `first` to `end`, as many as a warp reads at one time.
struct Said {
    static constexpr int k_at_once = 5;
    unsigned long long words[k_at_once];

    // Begins to read them; does not wait.
    __device__ __forceinline__ void ask(const volatile unsigned long long* said, int first,
                                        int end) {
        const int lane = threadIdx.x % 32;
#pragma unroll
        for (int i = 0; i < k_at_once; ++i) {
            const int at = first + lane + 32 * i;
            words[i] = at < end ? said[at] : k_said;  // of none: zero
        }
    }

    // Their total, for every lane; waits for those that had not been said.
    __device__ __forceinline__ float total(const volatile unsigned long long* said, int first,
                                           int end) {
        const int lane = threadIdx.x % 32;
        float sum = 0.0f;
        while (true) {
#pragma unroll
            for (int i = 0; i < k_at_once; ++i) {
                while (words[i] < k_said) {
                    words[i] = said[first + lane + 32 * i];
                }
                sum += __uint_as_float(static_cast<unsigned>(words[i]));
            }
            first += 32 * k_at_once;
            if (first >= end) {
                break;
            }
            ask(said, first, end);
        }
        for (int step = 16; step > 0; step /= 2) {
            sum += __shfl_xor_sync(0xffffffffu, sum, step);
        }
        return sum;
    }
};
// endregion: sums_of_tiles

__global__ void __launch_bounds__(BLOCK)
    scan(const float* __restrict__ x, float* __restrict__ y, volatile unsigned long long* said,
         int n, int tiles, int segment) {
    extern __shared__ float4 shared[];
    __shared__ float of_warp[k_slots][k_warps];
    __shared__ float shared_before;
    const int step = gridDim.x;
    const int warp = threadIdx.x / 32;
    float* mine = reinterpret_cast<float*>(shared) + warp * k_segment;
    const auto start_of = [&](int tile) {
        return (static_cast<long long>(tile) * k_warps + warp) * segment;
    };
    const auto count_of = [&](long long start) {
        return static_cast<int>(min(max(n - start, 0ll), static_cast<long long>(segment)));
    };
    const auto copy = [&](int tile, int slot) {
        if (tile < tiles) {
            const long long start = start_of(tile);
            const int count = count_of(start);
            copy_segment(mine + slot * k_tile, x + (count > 0 ? start : 0), count);
        }
        __pipeline_commit();
    };
    const auto add_up = [&](int tile, int slot) {
        if (tile < tiles) {
            const float sum = sum_of_segment(mine + slot * k_tile);
            if (threadIdx.x % 32 == 0) {
                of_warp[slot][warp] = sum;
            }
        }
    };
    const auto say = [&](int tile, int slot) {  // not by the first warp, which has enough to do
        if (threadIdx.x == BLOCK - 1 && tile < tiles) {
            float all = of_warp[slot][0];
            for (int w = 1; w < k_warps; ++w) {
                all += of_warp[slot][w];
            }
            said[tile] = k_said | __float_as_uint(all);
        }
    };
    for (int tile = blockIdx.x + threadIdx.x * step; tile < tiles; tile += BLOCK * step) {
        said[tile] = 0;
    }
    for (int slot = 0; slot < k_slots; ++slot) {
        copy(blockIdx.x + slot * step, slot);
    }
    cooperative_groups::this_grid().sync();  // nobody may read a word before it was zero
    __pipeline_wait_prior(k_slots - 1);
    add_up(blockIdx.x, 0);
    __syncthreads();
    say(blockIdx.x, 0);
    float before = 0.0f;  // of the first warp
    int slot = 0;
    for (int tile = blockIdx.x; tile < tiles; tile += step) {
        const int next = slot == k_slots - 1 ? 0 : slot + 1;
        Said sums;
        if (warp == 0) {
            sums.ask(said, max(tile - step, 0), tile);
        }
        __pipeline_wait_prior(1);
        add_up(tile + step, next);
        __syncthreads();
        say(tile + step, next);
        float kept[ITEMS][4];
        scan_segment(mine + slot * k_tile, kept);
        copy(tile + k_slots * step, slot);
        if (warp == 0) {
            before += sums.total(said, max(tile - step, 0), tile);
            if (threadIdx.x == 0) {
                shared_before = before;
            }
        }
        __syncthreads();
        float offset = shared_before;
        for (int w = 0; w < warp; ++w) {
            offset += of_warp[slot][w];
        }
        const long long start = start_of(tile);
        write_segment(y + start, count_of(start), offset, kept);
        slot = next;
    }
}

void launch(const float* x, float* y, int n, cudaStream_t stream) {
    int multiprocessors = 0;
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    // As many turns as the largest tiles take, and all alike; a sector of memory is eight values.
    const long long turn = static_cast<long long>(multiprocessors) * k_tile;
    const long long warps = (n + turn - 1) / turn * multiprocessors * k_warps;
    const int even = static_cast<int>((n + warps - 1) / warps);
    int segment = even > 128 ? (even + 7) / 8 * 8 : 128;  // values of a warp
    int tiles = (n + segment * k_warps - 1) / (segment * k_warps);
    const int blocks = tiles < multiprocessors ? tiles : multiprocessors;
    unsigned long long* said = nullptr;
    cudaMalloc(&said, tiles * sizeof(unsigned long long));
    cudaFuncSetAttribute(scan, cudaFuncAttributeMaxDynamicSharedMemorySize, k_shared_bytes);
    void* arguments[] = {&x, &y, &said, &n, &tiles, &segment};
    cudaLaunchCooperativeKernel(scan, dim3(blocks), dim3(BLOCK), arguments, k_shared_bytes, stream);
    cudaFree(said);
}
