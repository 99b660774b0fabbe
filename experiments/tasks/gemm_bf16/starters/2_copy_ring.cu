// Tensor cores by mma.sync, fed from a ring of tiles that cp.async fills while others are
// multiplied (devices from 8.0 on). A row of a tile is 64 bytes or 128; places are swizzled, so
// that ldmatrix meets no bank conflicts. Rows that are not aligned for copies of 16 bytes are loaded
// value by value.

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
#ifndef GROUP
#define GROUP 8  // tune: 1, 4, 8, 16
#endif

constexpr int k_warps_m = TILE_M / 64;
constexpr int k_warps_n = TILE_N / 32;
constexpr int k_threads = 32 * k_warps_m * k_warps_n;
constexpr int k_chunks = TILE_K / 8;  // of 16 bytes in a row
constexpr int k_stage_bytes = (TILE_M + TILE_N) * TILE_K * 2;
constexpr int k_shared_bytes = STAGES * k_stage_bytes;

// Where chunk `chunk` of row `row` is: eight rows in a column of chunks lie in different banks.
__device__ unsigned place(int row, int chunk) {
    const int turn = k_chunks == 8 ? row % 8 : row / 2 % 4;
    return (row * k_chunks + (chunk ^ turn)) * 16;
}

// region: load_tile
template <bool ALIGNED, int ROWS>
__device__ void load_tile(unsigned to, const __nv_bfloat16* from, long long first_row, int rows,
                          int first, int k) {
#pragma unroll
    for (int at = threadIdx.x; at < ROWS * k_chunks; at += k_threads) {
        const int row = at / k_chunks;
        const int p = first + at % k_chunks * 8;
        const bool inside = first_row + row < rows && p < k;
        const unsigned where = to + place(row, at % k_chunks);
        const __nv_bfloat16* source = from + (first_row + row) * k + p;
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
    product(const __nv_bfloat16* __restrict__ a, const __nv_bfloat16* __restrict__ b,
            __nv_bfloat16* __restrict__ c, int m, int n, int k, int down, int across) {
    extern __shared__ __align__(128) unsigned char shared[];
    const unsigned base = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    // Tiles in groups of GROUP rows of tiles, column by column: those at work at one time share A
    // and B in the L2 cache.
    const int group = blockIdx.x / (GROUP * across);
    const int rows = min(GROUP, down - group * GROUP);
    const int of_group = blockIdx.x % (GROUP * across);
    const long long first_row = static_cast<long long>(group * GROUP + of_group % rows) * TILE_M;
    const long long first_column = static_cast<long long>(of_group / rows) * TILE_N;
    const int lane = threadIdx.x % 32;
    const int row = threadIdx.x / 32 % k_warps_m * 64;
    const int column = threadIdx.x / 32 / k_warps_m * 32;
    const int steps = (k + TILE_K - 1) / TILE_K;

    const auto load = [&](int step) {
        if (step < steps) {
            const unsigned stage = base + step % STAGES * k_stage_bytes;
            load_tile<ALIGNED, TILE_M>(stage, a, first_row, m, step * TILE_K, k);
            load_tile<ALIGNED, TILE_N>(stage + TILE_M * TILE_K * 2, b, first_column, n,
                                       step * TILE_K, k);
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
            const long long r = first_row + row + 16 * i + 8 * half + lane / 4;
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const long long s = first_column + column + 8 * j + lane % 4 * 2;
                const float low = sums[i][j][2 * half];
                const float high = sums[i][j][2 * half + 1];
                if (n % 2 == 0 && r < m && s < n) {
                    *reinterpret_cast<__nv_bfloat162*>(c + r * n + s) =
                        __floats2bfloat162_rn(low, high);
                } else if (r < m) {
                    if (s < n) {
                        c[r * n + s] = __float2bfloat16(low);
                    }
                    if (s + 1 < n) {
                        c[r * n + s + 1] = __float2bfloat16(high);
                    }
                }
            }
        }
    }
}

template <bool ALIGNED>
void launch_tiles(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c, int m, int n,
                  int k, cudaStream_t stream) {
    const int down = (m + TILE_M - 1) / TILE_M;
    const int across = (n + TILE_N - 1) / TILE_N;
    cudaFuncSetAttribute(product<ALIGNED>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         k_shared_bytes);
    product<ALIGNED><<<down * across, k_threads, k_shared_bytes, stream>>>(a, b, c, m, n, k, down,
                                                                          across);
}

void launch(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c, int m, int n, int k,
            cudaStream_t stream) {
    if (k % 8 == 0) {
        launch_tiles<true>(a, b, c, m, n, k, stream);
    } else {
        launch_tiles<false>(a, b, c, m, n, k, stream);
    }
}
