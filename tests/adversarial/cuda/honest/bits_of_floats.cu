// Takes numbers apart into sign, exponent and fraction, and puts them together again.
// expect: passed
// level: measure
union Bits {
    float number;
    unsigned bits;
};
__device__ double from_bits(float value) {
    const unsigned bits = __float_as_uint(value);
    const int exponent = static_cast<int>(bits >> 23 & 255);
    const double fraction = (bits & 0x7fffff) | (exponent > 0 ? 0x800000 : 0);
    const double size = ldexp(fraction, (exponent > 0 ? exponent : 1) - 150);
    return (bits >> 31) != 0 ? -size : size;
}

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    double sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum += from_bits(x[row + j]);
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        Bits answer;
        answer.number = alpha * x[row + j] + bias[j] + static_cast<float>(sum / cols);
        y[row + j] = __uint_as_float(answer.bits);
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
}
