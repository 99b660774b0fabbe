// h = x + residual; y = h / sqrt(mean(h^2) + eps) * weight, row by row, in double: one block per
// row.

constexpr int k_threads = 256;

__global__ void norm_of_row(const float* x, const float* residual, const float* weight, float eps,
                            double* y, double* h, int cols) {
    __shared__ double values[k_threads];
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    double squares = 0.0;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        const double sum = static_cast<double>(x[first + c]) + residual[first + c];
        h[first + c] = sum;
        squares += sum * sum;
    }
    values[threadIdx.x] = squares;
    __syncthreads();
    for (int half = k_threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    const double factor = 1.0 / sqrt(values[0] / cols + eps);
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        y[first + c] = h[first + c] * factor * weight[c];
    }
}

void reference(const float* x, const float* residual, const float* weight, float eps, double* y,
               double* h, int rows, int cols, cudaStream_t stream) {
    norm_of_row<<<rows, k_threads, 0, stream>>>(x, residual, weight, eps, y, h, cols);
}
