// One block per row that keeps h in registers, four columns at a time where the rows are aligned
// for that; the end of a row that does not fit is read again.

#ifndef BLOCK
#define BLOCK 256  // tune: 32, 64, 128, 192, 256, 384, 512, 1024
#endif
#ifndef ITEMS
#define ITEMS 2  // tune: 1, 2, 3, 4, 5, 6, 8
#endif

constexpr int k_warps = BLOCK / 32;

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

__device__ float4 operator+(float4 a, float4 b) {
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
__device__ float square_sum(float4 a) {
    return a.x * a.x + a.y * a.y + a.z * a.z + a.w * a.w;
}
__device__ float square_sum(float a) {
    return a * a;
}
__device__ float4 scaled(float4 a, float factor, float4 weight) {
    return make_float4(a.x * factor * weight.x, a.y * factor * weight.y, a.z * factor * weight.z,
                       a.w * factor * weight.w);
}
__device__ float scaled(float a, float factor, float weight) {
    return a * factor * weight;
}

// `T`: float or float4; `width` and offsets are counted in it.
template <class T>
__global__ void __launch_bounds__(BLOCK)
    norm_of_row(const T* __restrict__ x, const T* __restrict__ residual,
                const T* __restrict__ weight, float eps, T* __restrict__ y, T* __restrict__ h,
                int width, int cols) {
    const long long first = static_cast<long long>(blockIdx.x) * width;
    T kept[ITEMS];
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            kept[i] = x[first + c] + residual[first + c];
            squares += square_sum(kept[i]);
        }
    }
    for (int c = ITEMS * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        squares += square_sum(x[first + c] + residual[first + c]);
    }
    const float factor = 1.0f / sqrtf(block_sum(squares) / cols + eps);
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = i * BLOCK + threadIdx.x;
        if (c < width) {
            h[first + c] = kept[i];
            y[first + c] = scaled(kept[i], factor, weight[c]);
        }
    }
    for (int c = ITEMS * BLOCK + threadIdx.x; c < width; c += BLOCK) {
        const T sum = x[first + c] + residual[first + c];
        h[first + c] = sum;
        y[first + c] = scaled(sum, factor, weight[c]);
    }
}

void launch(const float* x, const float* residual, const float* weight, float eps, float* y,
            float* h, int rows, int cols, cudaStream_t stream) {
    if (cols % 4 == 0) {
        norm_of_row<float4><<<rows, BLOCK, 0, stream>>>(
            reinterpret_cast<const float4*>(x), reinterpret_cast<const float4*>(residual),
            reinterpret_cast<const float4*>(weight), eps, reinterpret_cast<float4*>(y),
            reinterpret_cast<float4*>(h), cols / 4, cols);
    } else {
        norm_of_row<float><<<rows, BLOCK, 0, stream>>>(x, residual, weight, eps, y, h, cols, cols);
    }
}
