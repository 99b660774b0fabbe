// Three kernels: sums of tiles, the sums before each tile (one block), then each tile again, from
// what lies before it. A warp reads four values per lane at a time and adds them up in registers.

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512
#endif
#ifndef ITEMS
#define ITEMS 2  // tune: 1, 2, 4, 8
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

__global__ void __launch_bounds__(BLOCK) sum_tiles(const float* __restrict__ x, float* sums,
                                                   int n) {
    __shared__ float of_warp[k_warps];
    const int warp = threadIdx.x / 32;
    float kept[ITEMS][4];
    read_segment(x, static_cast<long long>(blockIdx.x) * k_tile + warp * k_segment, n, kept);
    float sum = 0.0f;
#pragma unroll
    for (int g = 0; g < ITEMS; ++g) {
        sum += (kept[g][0] + kept[g][1]) + (kept[g][2] + kept[g][3]);
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step);
    }
    if (threadIdx.x % 32 == 0) {
        of_warp[warp] = sum;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < k_warps; ++w) {
            sum += of_warp[w];
        }
        sums[blockIdx.x] = sum;
    }
}

// One warp: sums become the sums of all before.
__global__ void sums_before(float* sums, int tiles) {
    const int lane = threadIdx.x;
    float before = 0.0f;
    for (int first = 0; first < tiles; first += 32) {
        const float own = first + lane < tiles ? sums[first + lane] : 0.0f;
        float sum = own;
        for (int step = 1; step < 32; step *= 2) {
            const float other = __shfl_up_sync(0xffffffffu, sum, step);
            sum += lane >= step ? other : 0.0f;
        }
        const float left = __shfl_up_sync(0xffffffffu, sum, 1);
        if (first + lane < tiles) {
            sums[first + lane] = before + (lane > 0 ? left : 0.0f);
        }
        before += __shfl_sync(0xffffffffu, sum, 31);
    }
}

__global__ void __launch_bounds__(BLOCK)
    scan_tiles(const float* __restrict__ x, const float* __restrict__ before, float* __restrict__ y,
               int n) {
    __shared__ float of_warp[k_warps];
    const int warp = threadIdx.x / 32;
    const long long first = static_cast<long long>(blockIdx.x) * k_tile + warp * k_segment;
    float kept[ITEMS][4];
    read_segment(x, first, n, kept);
    const float sum = scan_segment(kept);
    if (threadIdx.x % 32 == 0) {
        of_warp[warp] = sum;
    }
    __syncthreads();
    float offset = before[blockIdx.x];
    for (int w = 0; w < warp; ++w) {
        offset += of_warp[w];
    }
    write_segment(y, first, n, offset, kept);
}

void launch(const float* x, float* y, int n, cudaStream_t stream) {
    const int tiles = (n + k_tile - 1) / k_tile;
    float* sums = nullptr;
    cudaMalloc(&sums, tiles * sizeof(float));
    sum_tiles<<<tiles, BLOCK, 0, stream>>>(x, sums, n);
    sums_before<<<1, 32, 0, stream>>>(sums, tiles);
    scan_tiles<<<tiles, BLOCK, 0, stream>>>(x, sums, y, n);
    cudaFree(sums);
}
