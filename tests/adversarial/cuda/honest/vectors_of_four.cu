// Loads of four floats where rows start on such a boundary, single ones where not.
// expect: passed
// level: measure
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    __shared__ float parts[128];
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    int done = 0;
    if (reinterpret_cast<size_t>(x + row) % sizeof(float4) == 0) {
        const float4* from = reinterpret_cast<const float4*>(x + row);
        done = cols / 4 * 4;
        for (int j = threadIdx.x; j < cols / 4; j += 128) {
            const float4 four = from[j];
            sum += (four.x + four.y) + (four.z + four.w);
        }
    }
    for (int j = done + threadIdx.x; j < cols; j += 128) {
        sum += x[row + j];
    }
    parts[threadIdx.x] = sum;
    for (int half = 64; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            parts[threadIdx.x] += parts[threadIdx.x + half];
        }
    }
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += 128) {
        y[row + j] = fmaf(alpha, x[row + j], bias[j] + parts[0] / cols);
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 128, 0, stream>>>(x, bias, alpha, y, cols);
}
