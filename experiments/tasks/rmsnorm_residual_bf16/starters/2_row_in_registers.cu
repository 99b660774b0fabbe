// One block per row that writes h as soon as it has it and keeps it in registers, WIDTH columns at a
// time where the rows are aligned for that; the end of a row that does not fit is made once more.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512
#endif
#ifndef ITEMS
#define ITEMS 3  // tune: 1, 2, 3, 4
#endif
#ifndef WIDTH
#define WIDTH 8  // tune: 2, 4, 8
#endif

__device__ float block_sum(float value) {
    __shared__ float of_warp[BLOCK / 32];
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
    norm_of_row(const Some<COUNT>* __restrict__ x, const Some<COUNT>* __restrict__ residual,
                const Some<COUNT>* __restrict__ weight, float eps, Some<COUNT>* __restrict__ y,
                Some<COUNT>* __restrict__ h, int width, int cols) {
    const long long first = static_cast<long long>(blockIdx.x) * width;
    float kept[ITEMS][COUNT];
    float squares = 0.0f;
    const auto add = [&](int c, float (&sums)[COUNT]) {
        const Some<COUNT> left = x[first + c];
        const Some<COUNT> right = residual[first + c];
        Some<COUNT> sum_of_both;
#pragma unroll
        for (int j = 0; j < COUNT; ++j) {
            sums[j] = __bfloat162float(left.of[j]) + __bfloat162float(right.of[j]);
            sum_of_both.of[j] = __float2bfloat16(sums[j]);
        }
        h[first + c] = sum_of_both;
    };
    const auto write = [&](int c, const float (&sums)[COUNT], float factor) {
        const Some<COUNT> weights = weight[c];
        Some<COUNT> to_y;
#pragma unroll
        for (int j = 0; j < COUNT; ++j) {
            to_y.of[j] = __float2bfloat16(sums[j] * factor * __bfloat162float(weights.of[j]));
        }
        y[first + c] = to_y;
    };
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            add(c, kept[i]);
#pragma unroll
            for (int j = 0; j < COUNT; ++j) {
                squares += kept[i][j] * kept[i][j];
            }
        }
    }
    for (int c = ITEMS * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        float sums[COUNT];
        add(c, sums);
#pragma unroll
        for (int j = 0; j < COUNT; ++j) {
            squares += sums[j] * sums[j];
        }
    }
    const float factor = 1.0f / sqrtf(block_sum(squares) / cols + eps);
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            write(c, kept[i], factor);
        }
    }
    for (int c = ITEMS * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        float sums[COUNT];
        add(c, sums);
        write(c, sums, factor);
    }
}

template <int COUNT>
void launch_rows(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                 const __nv_bfloat16* weight, float eps, __nv_bfloat16* y, __nv_bfloat16* h,
                 int rows, int cols, cudaStream_t stream) {
    norm_of_row<COUNT><<<rows, BLOCK, 0, stream>>>(
        reinterpret_cast<const Some<COUNT>*>(x), reinterpret_cast<const Some<COUNT>*>(residual),
        reinterpret_cast<const Some<COUNT>*>(weight), eps, reinterpret_cast<Some<COUNT>*>(y),
        reinterpret_cast<Some<COUNT>*>(h), cols / COUNT, cols);
}

void launch(const __nv_bfloat16* x, const __nv_bfloat16* residual, const __nv_bfloat16* weight,
            float eps, __nv_bfloat16* y, __nv_bfloat16* h, int rows, int cols,
            cudaStream_t stream) {
    if (cols % WIDTH == 0) {
        launch_rows<WIDTH>(x, residual, weight, eps, y, h, rows, cols, stream);
    } else {
        launch_rows<1>(x, residual, weight, eps, y, h, rows, cols, stream);
    }
}
