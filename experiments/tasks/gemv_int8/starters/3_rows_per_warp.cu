// ROWS rows per warp, which share what is read of x: sixteen weights of each row at a time where
// rows are aligned for that, UNROLL times before the first is used. A weight becomes a float by its
// bits: 2^23 + 128 + q is a float whose last byte is q + 128, which costs no conversion. SPLIT warps
// may share a row, a part of its columns each.

#ifndef WARPS
#define WARPS 4  // tune: 1, 2, 4, 8, 16
#endif
#ifndef ROWS
#define ROWS 4  // tune: 1, 2, 4, 8
#endif
#ifndef UNROLL
#define UNROLL 2  // tune: 1, 2, 4
#endif
#ifndef SPLIT
#define SPLIT 1  // tune: 1, 2, 4
#endif

constexpr int k_group = 64;

// region: dot
// One byte of `word` (with its sign bit turned) as the float 2^23 + 128 + q.
template <int BYTE>
__device__ __forceinline__ float weight(unsigned word) {
    return __uint_as_float(__byte_perm(word, 0x4B000000u, 0x7440 | BYTE)) - 8388736.0f;
}

__device__ __forceinline__ float dot_of_four(unsigned weights, float4 x, float sum) {
    weights ^= 0x80808080u;
    sum += weight<0>(weights) * x.x;
    sum += weight<1>(weights) * x.y;
    sum += weight<2>(weights) * x.z;
    return sum + weight<3>(weights) * x.w;
}
// endregion: dot

__device__ __forceinline__ float warp_sum(float value) {
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    return value;
}

__global__ void __launch_bounds__(32 * WARPS * SPLIT)
    row_products(const uint4* __restrict__ q, const float* __restrict__ scale,
                 const float4* __restrict__ x, float* __restrict__ y, int m, int k) {
    __shared__ float parts[SPLIT][WARPS][ROWS];
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32 % WARPS;
    const int part = threadIdx.x / 32 / WARPS;
    const long long first_row = (static_cast<long long>(blockIdx.x) * WARPS + warp) * ROWS;
    const int chunks = k / 16;  // of sixteen columns
    const int groups = (k + k_group - 1) / k_group;
    float sums[ROWS] = {};
    for (int first = part * 32 * UNROLL + lane; first < chunks; first += 32 * UNROLL * SPLIT) {
        uint4 sixteen[ROWS][UNROLL];
        float factor[ROWS][UNROLL];
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const int at = first + 32 * u;
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                const bool inside = at < chunks && first_row + r < m;
                sixteen[r][u] = inside ? __ldcs(q + (first_row + r) * chunks + at) : uint4();
                factor[r][u] = inside ? __ldcs(scale + (first_row + r) * groups + at / 4) : 0.0f;
            }
        }
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const int at = min(first + 32 * u, chunks - 1);
            const float4 x0 = x[4 * at];
            const float4 x1 = x[4 * at + 1];
            const float4 x2 = x[4 * at + 2];
            const float4 x3 = x[4 * at + 3];
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                float dot = dot_of_four(sixteen[r][u].x, x0, 0.0f);
                dot = dot_of_four(sixteen[r][u].y, x1, dot);
                dot = dot_of_four(sixteen[r][u].z, x2, dot);
                dot = dot_of_four(sixteen[r][u].w, x3, dot);
                sums[r] += factor[r][u] * dot;
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const float sum = warp_sum(sums[r]);
        if (SPLIT == 1) {
            if (lane == 0 && first_row + r < m) {
                y[first_row + r] = sum;
            }
        } else if (lane == 0) {
            parts[part][warp][r] = sum;
        }
    }
    if (SPLIT > 1) {
        __syncthreads();
        if (part == 0 && lane < ROWS && first_row + lane < m) {
            float sum = 0.0f;
            for (int p = 0; p < SPLIT; ++p) {
                sum += parts[p][warp][lane];
            }
            y[first_row + lane] = sum;
        }
    }
}

// Rows of any length: a warp per row, one weight at a time.
__global__ void __launch_bounds__(128)
    row_products_of_any(const signed char* __restrict__ q, const float* __restrict__ scale,
                        const float* __restrict__ x, float* __restrict__ y, int m, int k) {
    const int lane = threadIdx.x % 32;
    const long long row = static_cast<long long>(blockIdx.x) * 4 + threadIdx.x / 32;
    if (row >= m) {
        return;
    }
    const float* scales = scale + row * ((k + k_group - 1) / k_group);
    float sum = 0.0f;
#pragma unroll 4
    for (int j = lane; j < k; j += 32) {
        sum += scales[j / k_group] * (q[row * k + j] * x[j]);
    }
    sum = warp_sum(sum);
    if (lane == 0) {
        y[row] = sum;
    }
}

void launch(const signed char* q, const float* scale, const float* x, float* y, int m, int k,
            cudaStream_t stream) {
    if (k % 16 == 0) {
        const int blocks = (m + WARPS * ROWS - 1) / (WARPS * ROWS);
        row_products<<<blocks, 32 * WARPS * SPLIT, 0, stream>>>(
            reinterpret_cast<const uint4*>(q), scale, reinterpret_cast<const float4*>(x), y, m, k);
    } else {
        row_products_of_any<<<(m + 3) / 4, 128, 0, stream>>>(q, scale, x, y, m, k);
    }
}
