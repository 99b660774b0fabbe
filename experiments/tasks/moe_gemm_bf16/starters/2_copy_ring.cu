// Tensor cores by mma.sync, fed from a ring of tiles that cp.async fills while others are
// multiplied (devices from 8.0 on): rows of x by the tokens of an expert, rows of its weights as
// they are. Places are swizzled, so that ldmatrix meets no bank conflicts. Rows that are not aligned
// for copies of 16 bytes are loaded value by value.

#include <cuda_bf16.h>

#ifndef TILE_M
#define TILE_M 128  // tune: 64, 128, 256
#endif
#ifndef TILE_N
#define TILE_N 128  // tune: 64, 128
#endif
#ifndef TILE_K
#define TILE_K 64  // tune: 32, 64
#endif
#ifndef STAGES
#define STAGES 3  // tune: 2, 3, 4
#endif

constexpr int k_warps_m = TILE_M / 64;
constexpr int k_warps_n = TILE_N / 32;
constexpr int k_threads = 32 * k_warps_m * k_warps_n;
constexpr int k_chunks = TILE_K / 8;  // of 16 bytes in a row
constexpr int k_stage_bytes = (TILE_M + TILE_N) * TILE_K * 2;
constexpr int k_shared_bytes = STAGES * k_stage_bytes;

// Tiles of all experts are numbered one after the other; which of whose entries are in number `at`.
struct Rows {
    int expert;  // -1: there are not so many tiles
    int first;
    int end;
};
__device__ Rows rows_of(const int* offsets, int experts, int at) {
    int begin = offsets[0];
    for (int expert = 0; expert < experts; ++expert) {
        const int end = offsets[expert + 1];
        const int tiles = (end - begin + TILE_M - 1) / TILE_M;
        if (at < tiles) {
            return {expert, begin + at * TILE_M, min(end, begin + (at + 1) * TILE_M)};
        }
        at -= tiles;
        begin = end;
    }
    return {-1, 0, 0};
}

// Where chunk `chunk` of row `row` is: eight rows in a column of chunks lie in different banks.
__device__ unsigned place(int row, int chunk) {
    const int turn = k_chunks == 8 ? row % 8 : row / 2 % 4;
    return (row * k_chunks + (chunk ^ turn)) * 16;
}

// region: load_tile
// `places`: which rows of `from`; null: one after the other.
template <bool ALIGNED, int ROWS>
__device__ void load_tile(unsigned to, const __nv_bfloat16* from, const int* places, int rows,
                          int first, int k) {
#pragma unroll
    for (int at = threadIdx.x; at < ROWS * k_chunks; at += k_threads) {
        const int row = at / k_chunks;
        const int p = first + at % k_chunks * 8;
        const bool inside = row < rows && p < k;
        const unsigned where = to + place(row, at % k_chunks);
        const long long line = places == nullptr ? row : places[row];
        const __nv_bfloat16* source = from + line * k + p;
        if (ALIGNED) {
            const int bytes = inside ? 16 : 0;  // the rest becomes zeros
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(where),
                         "l"(inside ? source : from), "r"(bytes));
        } else {
            unsigned pairs[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const bool low = inside && p + 2 * i < k;
                const bool high = inside && p + 2 * i + 1 < k;
                const unsigned first_half = low ? __bfloat16_as_ushort(source[2 * i]) : 0;
                const unsigned other_half = high ? __bfloat16_as_ushort(source[2 * i + 1]) : 0;
                pairs[i] = first_half | other_half << 16;
            }
            asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(where), "r"(pairs[0]),
                         "r"(pairs[1]), "r"(pairs[2]), "r"(pairs[3])
                         : "memory");
        }
    }
}
// endregion: load_tile

__device__ void load_matrices(unsigned (&to)[4], unsigned from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
}

__device__ void multiply_add(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <bool ALIGNED>
__global__ void __launch_bounds__(k_threads)
    product(const int* __restrict__ offsets, const int* __restrict__ token,
            const __nv_bfloat16* __restrict__ x, const __nv_bfloat16* __restrict__ w,
            __nv_bfloat16* __restrict__ y, int experts, int n, int k, int down) {
    __shared__ int places[TILE_M];
    extern __shared__ __align__(128) unsigned char shared[];
    const unsigned base = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    // Column by column: tiles that are at work at one time share weights in the L2 cache.
    const Rows rows = rows_of(offsets, experts, blockIdx.x % down);
    if (rows.expert < 0) {
        return;
    }
    const int first_column = blockIdx.x / down * TILE_N;
    const __nv_bfloat16* weights =
        w + (static_cast<long long>(rows.expert) * n + first_column) * k;
    for (int i = threadIdx.x; i < TILE_M; i += k_threads) {
        places[i] = rows.first + i < rows.end ? token[rows.first + i] : 0;
    }
    __syncthreads();
    const int lane = threadIdx.x % 32;
    const int row = threadIdx.x / 32 % k_warps_m * 64;
    const int column = threadIdx.x / 32 / k_warps_m * 32;
    const int steps = (k + TILE_K - 1) / TILE_K;

    const auto load = [&](int step) {
        if (step < steps) {
            const unsigned stage = base + step % STAGES * k_stage_bytes;
            load_tile<ALIGNED, TILE_M>(stage, x, places, rows.end - rows.first, step * TILE_K, k);
            load_tile<ALIGNED, TILE_N>(stage + TILE_M * TILE_K * 2, weights, nullptr,
                                       n - first_column, step * TILE_K, k);
        }
        asm volatile("cp.async.commit_group;");
    };
    float sums[4][4][4] = {};
    for (int step = 0; step < STAGES - 1; ++step) {
        load(step);
    }
    for (int step = 0; step < steps; ++step) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
        __syncthreads();
        load(step + STAGES - 1);
        const unsigned a_stage = base + step % STAGES * k_stage_bytes;
        const unsigned b_stage = a_stage + TILE_M * TILE_K * 2;
#pragma unroll
        for (int p = 0; p < TILE_K / 16; ++p) {
            unsigned left[4][4];
            unsigned right[2][4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                load_matrices(left[i],
                              a_stage + place(row + 16 * i + lane % 16, 2 * p + lane / 16));
            }
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                load_matrices(right[j], b_stage + place(column + 16 * j + lane / 16 * 8 + lane % 8,
                                                        2 * p + lane / 8 % 2));
            }
#pragma unroll
            for (int i = 0; i < 4; ++i) {
#pragma unroll
                for (int j = 0; j < 4; ++j) {
                    multiply_add(sums[i][j], left[i], right[j / 2][j % 2 * 2],
                                 right[j / 2][j % 2 * 2 + 1]);
                }
            }
        }
    }
    asm volatile("cp.async.wait_group 0;" ::: "memory");
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const long long r = rows.first + row + 16 * i + 8 * half + lane / 4;
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const long long s = first_column + column + 8 * j + lane % 4 * 2;
                const float low = sums[i][j][2 * half];
                const float high = sums[i][j][2 * half + 1];
                if (n % 2 == 0 && r < rows.end && s < n) {
                    *reinterpret_cast<__nv_bfloat162*>(y + r * n + s) =
                        __floats2bfloat162_rn(low, high);
                } else if (r < rows.end) {
                    if (s < n) {
                        y[r * n + s] = __float2bfloat16(low);
                    }
                    if (s + 1 < n) {
                        y[r * n + s + 1] = __float2bfloat16(high);
                    }
                }
            }
        }
    }
}

template <bool ALIGNED>
void launch_tiles(const int* offsets, const int* token, const __nv_bfloat16* x,
                  const __nv_bfloat16* w, __nv_bfloat16* y, int experts, int routed, int n, int k,
                  cudaStream_t stream) {
    const int down = routed / TILE_M + experts;  // at most
    const int across = (n + TILE_N - 1) / TILE_N;
    cudaFuncSetAttribute(product<ALIGNED>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         k_shared_bytes);
    product<ALIGNED><<<down * across, k_threads, k_shared_bytes, stream>>>(
        offsets, token, x, w, y, experts, n, k, down);
}

void launch(const int* offsets, const int* token, const __nv_bfloat16* x, const __nv_bfloat16* w,
            __nv_bfloat16* y, int tokens, int experts, int routed, int n, int k,
            cudaStream_t stream) {
    if (k % 8 == 0) {
        launch_tiles<true>(offsets, token, x, w, y, experts, routed, n, k, stream);
    } else {
        launch_tiles<false>(offsets, token, x, w, y, experts, routed, n, k, stream);
    }
}
