// One block per row that reads the row once and keeps it in registers, four columns at a time but
// for the ends of a row that is not aligned. Rows that do not fit are read twice: maximum and sum in
// one go.

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512, 1024
#endif
#ifndef ITEMS
#define ITEMS 12  // tune: 1, 2, 3, 4, 5, 6, 8, 10, 12, 16
#endif

constexpr int k_warps = BLOCK / 32;
constexpr int k_kept = 4 * ITEMS;  // columns per thread

__device__ float block_maximum(float value) {
    for (int step = 16; step > 0; step /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
    }
    if (k_warps > 1) {
        __shared__ float of_warp[k_warps];
        if (threadIdx.x % 32 == 0) {
            of_warp[threadIdx.x / 32] = value;
        }
        __syncthreads();
        value = of_warp[0];
        for (int w = 1; w < k_warps; ++w) {
            value = fmaxf(value, of_warp[w]);
        }
    }
    return value;
}

__device__ float block_sum(float value) {
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    if (k_warps > 1) {
        __shared__ float of_warp[k_warps];
        if (threadIdx.x % 32 == 0) {
            of_warp[threadIdx.x / 32] = value;
        }
        __syncthreads();
        value = of_warp[0];
        for (int w = 1; w < k_warps; ++w) {
            value += of_warp[w];
        }
    }
    return value;
}

// region: kept_row
__global__ void __launch_bounds__(BLOCK) softmax_kept(const float* __restrict__ x,
                                                      float* __restrict__ y, int cols) {
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    const int skipped = static_cast<int>(first % 4);  // of the four values that a row begins in
    const float* from = x + first - skipped;
    float* to = y + first - skipped;
    const int end = skipped + cols;
    float kept[k_kept];
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = 4 * (i * BLOCK + threadIdx.x);
        if (c >= skipped && c + 4 <= end) {
            const float4 four = *reinterpret_cast<const float4*>(from + c);
            kept[4 * i] = four.x;
            kept[4 * i + 1] = four.y;
            kept[4 * i + 2] = four.z;
            kept[4 * i + 3] = four.w;
        } else {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                kept[4 * i + j] = c + j >= skipped && c + j < end ? from[c + j] : -INFINITY;
            }
        }
    }
    float maximum = kept[0];
#pragma unroll
    for (int i = 1; i < k_kept; ++i) {
        maximum = fmaxf(maximum, kept[i]);
    }
    maximum = block_maximum(maximum);
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < k_kept; ++i) {
        kept[i] = __expf(kept[i] - maximum);
        sum += kept[i];
    }
    const float factor = 1.0f / block_sum(sum);
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = 4 * (i * BLOCK + threadIdx.x);
        if (c >= skipped && c + 4 <= end) {
            *reinterpret_cast<float4*>(to + c) =
                make_float4(kept[4 * i] * factor, kept[4 * i + 1] * factor,
                            kept[4 * i + 2] * factor, kept[4 * i + 3] * factor);
        } else {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                if (c + j >= skipped && c + j < end) {
                    to[c + j] = kept[4 * i + j] * factor;
                }
            }
        }
    }
}
// endregion: kept_row

__global__ void __launch_bounds__(BLOCK) softmax_long(const float* __restrict__ x,
                                                      float* __restrict__ y, int cols) {
    const float* from = x + static_cast<long long>(blockIdx.x) * cols;
    float* to = y + static_cast<long long>(blockIdx.x) * cols;
    float maximum = -INFINITY;
    float sum = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float value = from[c];
        if (value > maximum) {
            sum *= __expf(maximum - value);
            maximum = value;
        }
        sum += __expf(value - maximum);
    }
    const float highest = block_maximum(maximum);
    const float factor = 1.0f / block_sum(maximum == -INFINITY ? 0.0f
                                                               : sum * __expf(maximum - highest));
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        to[c] = __expf(from[c] - highest) * factor;
    }
}

void launch(const float* x, float* y, int rows, int cols, cudaStream_t stream) {
    const int most = cols % 4 == 0 ? 0 : 3;  // places skipped at a row's start
    if (cols + most > BLOCK * k_kept) {
        softmax_long<<<rows, BLOCK, 0, stream>>>(x, y, cols);
    } else {
        softmax_kept<<<rows, BLOCK, 0, stream>>>(x, y, cols);
    }
}
