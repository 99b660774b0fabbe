// A kernel template whose instance is chosen by the shape.
// expect: passed
// level: measure
template <int THREADS, typename Total>
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    __shared__ Total parts[THREADS];
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    Total sum = 0;
    for (int j = threadIdx.x; j < cols; j += THREADS) {
        sum += x[row + j];
    }
    parts[threadIdx.x] = sum;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            parts[threadIdx.x] += parts[threadIdx.x + half];
        }
    }
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += THREADS) {
        y[row + j] = alpha * x[row + j] + bias[j] + static_cast<float>(parts[0] / cols);
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    if (cols < 64) {
        row_mean<32, double><<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
    } else {
        row_mean<256, float><<<rows, 256, 0, stream>>>(x, bias, alpha, y, cols);
    }
}
