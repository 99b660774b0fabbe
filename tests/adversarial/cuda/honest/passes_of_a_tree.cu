// A tree of additions, one launch per level, between two buffers.
// expect: passed
// level: measure
__global__ void halve(const float* from, float* to, int before, int after) {
    const size_t row = blockIdx.y;
    const int j = blockIdx.x * blockDim.x + threadIdx.x;
    if (j < after) {
        const float other = j + after < before ? from[row * before + j + after] : 0;
        to[row * after + j] = from[row * before + j] + other;
    }
}

__global__ void finish(const float* x, const float* bias, float alpha, float* y, const float* sums,
                       int cols) {
    const size_t row = blockIdx.y;
    const int j = blockIdx.x * blockDim.x + threadIdx.x;
    if (j < cols) {
        y[row * cols + j] = alpha * x[row * cols + j] + bias[j] + sums[row] / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* buffers[2];
    for (float*& buffer : buffers) {
        cudaMalloc(&buffer, sizeof(float) * rows * cols);
    }
    const float* from = x;
    int turn = 0;
    for (int left = cols; left > 1 || from == x; turn ^= 1) {
        const int after = (left + 1) / 2;
        halve<<<dim3((after + 127) / 128, rows), 128, 0, stream>>>(from, buffers[turn], left,
                                                                   after);
        from = buffers[turn];
        left = after;
    }
    finish<<<dim3((cols + 127) / 128, rows), 128, 0, stream>>>(x, bias, alpha, y, from, cols);
}
