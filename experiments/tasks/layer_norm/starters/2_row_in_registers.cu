// One block per row that keeps it in registers, four columns at a time where the rows are aligned
// for that; the end of a row that does not fit is read again. Sums and the mean are in double, the
// distances from the mean in single precision.

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512
#endif
#ifndef ITEMS
#define ITEMS 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_warps = BLOCK / 32;

__device__ double block_sum(double value, double* of_warp) {
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    if (k_warps > 1) {
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

__device__ double sum_of(float4 a) {
    return (static_cast<double>(a.x) + a.y) + (static_cast<double>(a.z) + a.w);
}
__device__ double sum_of(float a) {
    return a;
}
__device__ float distance(float a, double mean) {
    return static_cast<float>(a - mean);
}
__device__ float4 distance(float4 a, double mean) {
    return make_float4(distance(a.x, mean), distance(a.y, mean), distance(a.z, mean),
                       distance(a.w, mean));
}
__device__ double squares_of(float a) {
    return static_cast<double>(a) * a;
}
__device__ double squares_of(float4 a) {
    return (squares_of(a.x) + squares_of(a.y)) + (squares_of(a.z) + squares_of(a.w));
}
__device__ float result(float distance, float factor, float gamma, float beta) {
    return distance * factor * gamma + beta;
}
__device__ float4 result(float4 distance, float factor, float4 gamma, float4 beta) {
    return make_float4(result(distance.x, factor, gamma.x, beta.x),
                       result(distance.y, factor, gamma.y, beta.y),
                       result(distance.z, factor, gamma.z, beta.z),
                       result(distance.w, factor, gamma.w, beta.w));
}

// `T`: float or float4; `width` is counted in it.
template <class T>
__global__ void __launch_bounds__(BLOCK)
    norm_of_row(const T* __restrict__ x, const T* __restrict__ gamma, const T* __restrict__ beta,
                float eps, T* __restrict__ y, int width, int cols) {
    __shared__ double sums[k_warps];
    __shared__ double square_sums[k_warps];
    const T* from = x + static_cast<long long>(blockIdx.x) * width;
    T* to = y + static_cast<long long>(blockIdx.x) * width;
    T kept[ITEMS];
    double sum = 0.0;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            kept[i] = from[c];
            sum += sum_of(kept[i]);
        }
    }
    for (int c = ITEMS * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        sum += sum_of(from[c]);
    }
    const double mean = block_sum(sum, sums) / cols;
    double squares = 0.0;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            kept[i] = distance(kept[i], mean);
            squares += squares_of(kept[i]);
        }
    }
    for (int c = ITEMS * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        squares += squares_of(distance(from[c], mean));
    }
    const float factor =
        static_cast<float>(1.0 / sqrt(block_sum(squares, square_sums) / cols + eps));
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            to[c] = result(kept[i], factor, gamma[c], beta[c]);
        }
    }
    for (int c = ITEMS * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        to[c] = result(distance(from[c], mean), factor, gamma[c], beta[c]);
    }
}

void launch(const float* x, const float* gamma, const float* beta, float eps, float* y, int rows,
            int cols, cudaStream_t stream) {
    if (cols % 4 == 0) {
        norm_of_row<float4><<<rows, BLOCK, 0, stream>>>(
            reinterpret_cast<const float4*>(x), reinterpret_cast<const float4*>(gamma),
            reinterpret_cast<const float4*>(beta), eps, reinterpret_cast<float4*>(y), cols / 4,
            cols);
    } else {
        norm_of_row<float><<<rows, BLOCK, 0, stream>>>(x, gamma, beta, eps, y, cols, cols);
    }
}
