// One block per row that reads it once: each thread scales its sum down when it meets a larger
// value, for ITEMS loads at a time; threads' maxima and sums are merged at the end. Four columns per
// load where the rows are aligned for that.

#ifndef BLOCK
#define BLOCK 256  // tune: 32, 64, 128, 256, 512
#endif
#ifndef ITEMS
#define ITEMS 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_warps = BLOCK / 32;

struct Part {
    float highest;
    float sum;
};

// A part without values has the highest value -infinity, and the sum 0.
__device__ Part merged(Part a, Part b) {
    const float highest = fmaxf(a.highest, b.highest);
    const float of_a = a.highest == highest ? a.sum : a.sum * __expf(a.highest - highest);
    const float of_b = b.highest == highest ? b.sum : b.sum * __expf(b.highest - highest);
    return {highest, of_a + of_b};
}

__device__ float highest_of(float a) {
    return a;
}
__device__ float highest_of(float4 a) {
    return fmaxf(fmaxf(a.x, a.y), fmaxf(a.z, a.w));
}
__device__ float sum_of(float a, float highest) {
    return __expf(a - highest);
}
__device__ float sum_of(float4 a, float highest) {
    return (__expf(a.x - highest) + __expf(a.y - highest)) +
           (__expf(a.z - highest) + __expf(a.w - highest));
}

// `T`: float or float4; `width` is counted in it.
template <class T>
__global__ void __launch_bounds__(BLOCK)
    entropy_of_row(const T* __restrict__ logits, const int* __restrict__ labels,
                   float* __restrict__ loss, float* __restrict__ lse, int width) {
    __shared__ Part of_warp[k_warps];
    const T* row = logits + static_cast<long long>(blockIdx.x) * width;
    Part part = {-INFINITY, 0.0f};
    for (int first = threadIdx.x; first < width; first += BLOCK * ITEMS) {
        T values[ITEMS];
        float highest = part.highest;
#pragma unroll
        for (int i = 0; i < ITEMS; ++i) {
            const int j = first + i * BLOCK;
            if (j < width) {
                values[i] = row[j];
                highest = fmaxf(highest, highest_of(values[i]));
            }
        }
        part.sum *= __expf(part.highest - highest);  // the first value is there: it is finite
        part.highest = highest;
#pragma unroll
        for (int i = 0; i < ITEMS; ++i) {
            if (first + i * BLOCK < width) {
                part.sum += sum_of(values[i], highest);
            }
        }
    }
    for (int step = 16; step > 0; step /= 2) {
        part = merged(part, {__shfl_xor_sync(0xffffffffu, part.highest, step),
                             __shfl_xor_sync(0xffffffffu, part.sum, step)});
    }
    if (threadIdx.x % 32 == 0) {
        of_warp[threadIdx.x / 32] = part;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < k_warps; ++w) {
            part = merged(part, of_warp[w]);
        }
        const int label = labels[blockIdx.x];
        const float log_sum = logf(part.sum);
        const float* logit = reinterpret_cast<const float*>(row) + (label < 0 ? 0 : label);
        lse[blockIdx.x] = part.highest + log_sum;
        loss[blockIdx.x] = label < 0 ? 0.0f : (part.highest - *logit) + log_sum;
    }
}

void launch(const float* logits, const int* labels, float* loss, float* lse, int rows, int classes,
            cudaStream_t stream) {
    if (classes % 4 == 0) {
        entropy_of_row<float4><<<rows, BLOCK, 0, stream>>>(
            reinterpret_cast<const float4*>(logits), labels, loss, lse, classes / 4);
    } else {
        entropy_of_row<float><<<rows, BLOCK, 0, stream>>>(logits, labels, loss, lse, classes);
    }
}
