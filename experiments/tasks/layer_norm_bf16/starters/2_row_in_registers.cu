// One block per row that keeps it in registers as it came, WIDTH columns at a time where the rows
// are aligned for that; the end of a row that does not fit is read again.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 64, 128, 256, 512
#endif
#ifndef ITEMS
#define ITEMS 4  // tune: 1, 2, 4, 8
#endif
#ifndef WIDTH
#define WIDTH 8  // tune: 2, 4, 8
#endif

__device__ __forceinline__ float block_sum(float value, float* of_warp) {
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    if (threadIdx.x % 32 == 0) {
        of_warp[threadIdx.x / 32] = value;
    }
    __syncthreads();
    value = of_warp[0];
    for (int w = 1; w < BLOCK / 32; ++w) {
        value += of_warp[w];
    }
    return value;
}

// Some columns side by side, read and written as one.
template <int COUNT>
struct alignas(2 * COUNT) Some {
    __nv_bfloat16 of[COUNT];
};

// `width` and offsets are counted in Some<COUNT>.
template <int COUNT>
__global__ void __launch_bounds__(BLOCK)
    norm_of_row(const Some<COUNT>* __restrict__ x, const Some<COUNT>* __restrict__ gamma,
                const Some<COUNT>* __restrict__ beta, float eps, Some<COUNT>* __restrict__ y,
                int width, int cols) {
    __shared__ float sums[BLOCK / 32];
    __shared__ float square_sums[BLOCK / 32];
    const long long first = static_cast<long long>(blockIdx.x) * width;
    constexpr int k_kept = ITEMS * (WIDTH / COUNT);
    Some<COUNT> kept[k_kept];
    float sum = 0.0f;
    float mean = 0.0f;
    float squares = 0.0f;
    const auto add_up = [&](const Some<COUNT>& some) {
#pragma unroll
        for (int j = 0; j < COUNT; ++j) {
            sum += __bfloat162float(some.of[j]);
        }
    };
    const auto add_squares = [&](const Some<COUNT>& some) {
#pragma unroll
        for (int j = 0; j < COUNT; ++j) {
            const float distance = __bfloat162float(some.of[j]) - mean;
            squares += distance * distance;
        }
    };
    const auto write = [&](int c, const Some<COUNT>& some, float factor) {
        const Some<COUNT> scales = gamma[c];
        const Some<COUNT> shifts = beta[c];
        Some<COUNT> result;
#pragma unroll
        for (int j = 0; j < COUNT; ++j) {
            const float distance = __bfloat162float(some.of[j]) - mean;
            result.of[j] = __float2bfloat16(distance * factor * __bfloat162float(scales.of[j]) +
                                            __bfloat162float(shifts.of[j]));
        }
        y[first + c] = result;
    };
#pragma unroll
    for (int i = 0; i < k_kept; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            kept[i] = x[first + c];
        }
    }
#pragma unroll
    for (int i = 0; i < k_kept; ++i) {
        if (i * BLOCK + threadIdx.x < width) {
            add_up(kept[i]);
        }
    }
    for (int c = k_kept * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        add_up(x[first + c]);
    }
    mean = block_sum(sum, sums) / cols;
#pragma unroll
    for (int i = 0; i < k_kept; ++i) {
        if (i * BLOCK + threadIdx.x < width) {
            add_squares(kept[i]);
        }
    }
    for (int c = k_kept * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        add_squares(x[first + c]);
    }
    const float factor = 1.0f / sqrtf(block_sum(squares, square_sums) / cols + eps);
#pragma unroll
    for (int i = 0; i < k_kept; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            write(c, kept[i], factor);
        }
    }
    for (int c = k_kept * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        write(c, x[first + c], factor);
    }
}

template <int COUNT>
void launch_rows(const __nv_bfloat16* x, const __nv_bfloat16* gamma, const __nv_bfloat16* beta,
                 float eps, __nv_bfloat16* y, int rows, int cols, cudaStream_t stream) {
    norm_of_row<COUNT><<<rows, BLOCK, 0, stream>>>(
        reinterpret_cast<const Some<COUNT>*>(x), reinterpret_cast<const Some<COUNT>*>(gamma),
        reinterpret_cast<const Some<COUNT>*>(beta), eps, reinterpret_cast<Some<COUNT>*>(y),
        cols / COUNT, cols);
}

void launch(const __nv_bfloat16* x, const __nv_bfloat16* gamma, const __nv_bfloat16* beta,
            float eps, __nv_bfloat16* y, int rows, int cols, cudaStream_t stream) {
    if (cols % WIDTH == 0) {
        launch_rows<WIDTH>(x, gamma, beta, eps, y, rows, cols, stream);
    } else {
        launch_rows<1>(x, gamma, beta, eps, y, rows, cols, stream);
    }
}
