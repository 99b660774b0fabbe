// The second half of the file is missing.
// expect: compile_error
// level: verify
// damage: cut
// ends: compile

// plan: {"steps": [{"launch": "row_mean", "grid": ["rows", 1, 1], "block": ["min(256, 32 * ceil_div(cols, 32))"],
//                   "shared": "4 * 256", "arguments": ["x", "bias", "alpha", "y", "cols"]}]}
extern "C" __global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                                    int cols) {
    extern __shared__ float parts[];
    x += (size_t)blockIdx.x * cols;
    y += (size_t)blockIdx.x * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        sum += x[j];
    }
    parts[threadIdx.x] = sum;
    for (int i = blockDim.x + threadIdx.x; i < 256; i += blockDim.x) {
        parts[i] = 0;
    }
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        for (int i = threadIdx.x; i < half; i += blockDim.x) {
            parts[i] += parts[i + half];
        }
    }
    __syncthreads();
    const float mean = parts[0] / cols;
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        y[j] = alpha * x[j] + bias[j] + mean;
    }
}
