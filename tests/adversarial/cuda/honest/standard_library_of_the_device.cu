// cuda::std in device code.
// expect: passed
// level: measure
#include <cuda/std/array>
#include <cuda/std/cstdint>
#include <cuda/std/tuple>

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const cuda::std::uint64_t row = static_cast<cuda::std::uint64_t>(blockIdx.x) * cols;
    cuda::std::array<float, 4> sums{};
    for (int j = threadIdx.x; j < cols; j += 32) {
        sums[j / 32 % 4] += x[row + j];
    }
    const auto pair = cuda::std::make_tuple(sums[0] + sums[1], sums[2] + sums[3]);
    float sum = cuda::std::get<0>(pair) + cuda::std::get<1>(pair);
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
}
