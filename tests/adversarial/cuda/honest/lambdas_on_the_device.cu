// Lambdas in device code, handed from function to function.
// expect: passed
// level: measure
template <class F>
__device__ void for_my_columns(int cols, F work) {
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        work(j);
    }
}

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for_my_columns(cols, [&](int j) { sum += x[row + j]; });
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    const auto answer = [=](int j) { return alpha * x[row + j] + bias[j] + sum / cols; };
    for_my_columns(cols, [&](int j) { y[row + j] = answer(j); });
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    const auto start = [&](int count) {
        row_mean<<<count, 32, 0, stream>>>(x, bias, alpha, y, cols);
    };
    start(rows);
}
