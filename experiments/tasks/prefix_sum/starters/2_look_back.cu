// One kernel that reads every value once (decoupled look-back): a tile says its own sum, then looks
// at the tiles before it until one has said the sum of all up to its end. Tiles are taken in order
// from a counter, so that those a block waits for have begun.

#ifndef BLOCK
#define BLOCK 512  // tune: 64, 128, 192, 256, 384, 512, 1024
#endif
#ifndef ITEMS
#define ITEMS 8  // tune: 1, 2, 3, 4, 6, 8
#endif

constexpr int k_warps = BLOCK / 32;
constexpr int k_segment = 128 * ITEMS;  // values of a warp
constexpr int k_tile = k_warps * k_segment;

// A segment's values from `first` on: lane l of a warp has four at 128 g + 4 l for each g. Zeros
// beyond the end.
__device__ void read_segment(const float* x, long long first, int n, float (&kept)[ITEMS][4]) {
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        const long long at = first + 128 * g + 4 * (threadIdx.x % 32);
        if (at + 4 <= n) {
            const float4 four = *reinterpret_cast<const float4*>(x + at);
            kept[g][0] = four.x;
            kept[g][1] = four.y;
            kept[g][2] = four.z;
            kept[g][3] = four.w;
        } else {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                kept[g][i] = at + i < n ? x[at + i] : 0.0f;
            }
        }
    }
}

// Values become their sums from the segment's start on; every lane gets the sum of all.
__device__ float scan_segment(float (&kept)[ITEMS][4]) {
    const int lane = threadIdx.x % 32;
    float before = 0.0f;
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        kept[g][1] += kept[g][0];
        kept[g][2] += kept[g][1];
        kept[g][3] += kept[g][2];
        float sum = kept[g][3];
        for (int step = 1; step < 32; step *= 2) {
            const float other = __shfl_up_sync(0xffffffffu, sum, step);
            sum += lane >= step ? other : 0.0f;
        }
        const float left = __shfl_up_sync(0xffffffffu, sum, 1);
        const float offset = before + (lane > 0 ? left : 0.0f);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            kept[g][i] += offset;
        }
        before += __shfl_sync(0xffffffffu, sum, 31);
    }
    return before;
}

__device__ void write_segment(float* y, long long first, int n, float offset,
                              const float (&kept)[ITEMS][4]) {
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        const long long at = first + 128 * g + 4 * (threadIdx.x % 32);
        if (at + 4 <= n) {
            *reinterpret_cast<float4*>(y + at) =
                make_float4(kept[g][0] + offset, kept[g][1] + offset, kept[g][2] + offset,
                            kept[g][3] + offset);
        } else {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                if (at + i < n) {
                    y[at + i] = kept[g][i] + offset;
                }
            }
        }
    }
}

// What a tile says: how much it knows in the upper half, a sum in the lower; read and written as one.
constexpr unsigned long long k_own_sum = 1ull << 32;
constexpr unsigned long long k_whole_sum = 2ull << 32;

// region: look_back
// The sum of all tiles before `tile`, for every lane of the calling warp.
__device__ float sum_before(const volatile unsigned long long* said, int tile) {
    const int lane = threadIdx.x % 32;
    float sum = 0.0f;
    for (int end = tile; end > 0; end -= 32) {
        const int at = end - 1 - lane;
        unsigned long long word = k_whole_sum;  // before the first tile: zero
        if (at >= 0) {
            do {
                word = said[at];
            } while (word < k_own_sum);
        }
        const unsigned whole = __ballot_sync(0xffffffffu, word >= k_whole_sum);
        const int last = whole != 0 ? __ffs(whole) - 1 : 31;
        float part = lane <= last ? __uint_as_float(static_cast<unsigned>(word)) : 0.0f;
        for (int step = 16; step > 0; step /= 2) {
            part += __shfl_xor_sync(0xffffffffu, part, step);
        }
        sum += part;
        if (whole != 0) {
            break;
        }
    }
    return sum;
}
// endregion: look_back

__global__ void __launch_bounds__(BLOCK)
    scan(const float* __restrict__ x, float* __restrict__ y, unsigned long long* state, int n) {
    __shared__ float of_warp[k_warps];
    __shared__ int shared_tile;
    __shared__ float shared_before;
    volatile unsigned long long* said = state + 1;
    if (threadIdx.x == 0) {
        shared_tile = static_cast<int>(atomicAdd(state, 1ull));
    }
    __syncthreads();
    const int tile = shared_tile;
    const int warp = threadIdx.x / 32;
    const long long first = static_cast<long long>(tile) * k_tile + warp * k_segment;
    float kept[ITEMS][4];
    read_segment(x, first, n, kept);
    const float sum = scan_segment(kept);
    if (threadIdx.x % 32 == 0) {
        of_warp[warp] = sum;
    }
    __syncthreads();
    if (warp == 0) {
        float all = of_warp[0];
        for (int w = 1; w < k_warps; ++w) {
            all += of_warp[w];
        }
        if (threadIdx.x == 0) {
            said[tile] = (tile == 0 ? k_whole_sum : k_own_sum) | __float_as_uint(all);
        }
        const float before = sum_before(said, tile);
        if (threadIdx.x == 0) {
            said[tile] = k_whole_sum | __float_as_uint(before + all);
            shared_before = before;
        }
    }
    __syncthreads();
    float offset = shared_before;
    for (int w = 0; w < warp; ++w) {
        offset += of_warp[w];
    }
    write_segment(y, first, n, offset, kept);
}

void launch(const float* x, float* y, int n, cudaStream_t stream) {
    const int tiles = (n + k_tile - 1) / k_tile;
    const size_t bytes = (1 + static_cast<size_t>(tiles)) * sizeof(unsigned long long);
    unsigned long long* state = nullptr;
    cudaMalloc(&state, bytes);
    cudaMemsetAsync(state, 0, bytes, stream);
    scan<<<tiles, BLOCK, 0, stream>>>(x, y, state, n);
    cudaFree(state);
}
