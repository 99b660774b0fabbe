// A table in constant memory that the launcher fills for each shape.
// expect: passed
// level: measure
struct Shape {
    int cols;
    float reciprocal;
};
__constant__ Shape g_shape;

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y) {
    const size_t row = static_cast<size_t>(blockIdx.x) * g_shape.cols;
    float sum = 0;
    for (int j = threadIdx.x; j < g_shape.cols; j += 32) {
        sum += x[row + j];
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < g_shape.cols; j += 32) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum * g_shape.reciprocal;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    const Shape shape = {cols, 1.0F / cols};
    cudaMemcpyToSymbolAsync(g_shape, &shape, sizeof(shape), 0, cudaMemcpyHostToDevice, stream);
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y);
}
