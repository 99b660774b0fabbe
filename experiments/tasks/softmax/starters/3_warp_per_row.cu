// One warp per row, no shared memory: maximum and sum in one pass, in which a lane that meets a
// larger value scales its sum down; a second pass writes.

#ifndef WARPS
#define WARPS 4  // tune: 1, 2, 4, 8, 16
#endif
#ifndef UNROLL
#define UNROLL 4  // tune: 1, 2, 4, 8
#endif

__global__ void __launch_bounds__(32 * WARPS) softmax_by_warps(const float* __restrict__ x,
                                                               float* __restrict__ y, int rows,
                                                               int cols) {
    const int lane = threadIdx.x % 32;
    const long long row = static_cast<long long>(blockIdx.x) * WARPS + threadIdx.x / 32;
    if (row >= rows) {
        return;
    }
    const float* from = x + row * cols;
    float* to = y + row * cols;
    float maximum = -INFINITY;
    float sum = 0.0f;
    for (int first = lane; first < cols; first += 32 * UNROLL) {
        float values[UNROLL];
        float highest = maximum;
#pragma unroll
        for (int i = 0; i < UNROLL; ++i) {
            const int c = first + 32 * i;
            values[i] = c < cols ? from[c] : -INFINITY;
            highest = fmaxf(highest, values[i]);
        }
        sum *= __expf(maximum - highest);  // the first value is there: highest is finite
        maximum = highest;
#pragma unroll
        for (int i = 0; i < UNROLL; ++i) {
            sum += __expf(values[i] - maximum);
        }
    }
    float highest = maximum;
    for (int step = 16; step > 0; step /= 2) {
        highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, step));
    }
    sum = maximum == -INFINITY ? 0.0f : sum * __expf(maximum - highest);
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    const float factor = 1.0f / sum;
#pragma unroll UNROLL
    for (int c = lane; c < cols; c += 32) {
        to[c] = __expf(from[c] - highest) * factor;
    }
}

void launch(const float* x, float* y, int rows, int cols, cudaStream_t stream) {
    softmax_by_warps<<<(rows + WARPS - 1) / WARPS, 32 * WARPS, 0, stream>>>(x, y, rows, cols);
}
