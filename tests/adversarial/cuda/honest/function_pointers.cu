// Steps of the work called by way of a table of functions on the device.
// expect: passed
// level: measure
using Step = float (*)(float, float, float);
__device__ float scale(float value, float alpha, float) { return value * alpha; }
__device__ float add(float value, float, float other) { return value + other; }
__device__ Step g_steps[2] = {scale, add};

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum = g_steps[1](sum, 0, x[row + j]);
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[row + j] = g_steps[1](g_steps[0](x[row + j], alpha, 0), 0, bias[j] + sum / cols);
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
}
