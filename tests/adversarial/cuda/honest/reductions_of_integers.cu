// Sums in fixed point by the warp's own reduction of integers, in two halves.
// expect: passed
// level: measure
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    long long sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum += __double2ll_rn(x[row + j] * 1073741824.0);
    }
    // 20 bits each, so that the sum of 32 fits into an int.
    long long total = 0;
    for (int shift = 60; shift >= 0; shift -= 20) {
        const int digit = static_cast<int>(shift == 60 ? sum >> 60 : sum >> shift & 0xfffff);
        total += static_cast<long long>(__reduce_add_sync(~0u, digit)) * (1ll << shift);
    }
    const float mean = static_cast<float>(total / 1073741824.0 / cols);
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
}
