// Kernels that ask type traits and call std's arithmetic, as templates for nvcc do.
// expect: passed
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tests/adversarial/cuda/row_mean.cuh"

template <class T>
__global__ void by_traits(ROW_MEAN_ARGUMENTS) {
    static_assert(std::is_floating_point<T>::value, "a mean needs fractions");
    using Sum = std::conditional_t<std::is_same_v<T, float>, double, T>;
    __shared__ Sum sums[k_threads];
    const std::size_t row = static_cast<std::size_t>(blockIdx.x) * cols;
    Sum sum = 0;
    for (std::int32_t j = threadIdx.x; j < cols; j += k_threads) {
        const T value = x[row + j];
        if constexpr (std::is_same_v<T, float>) {
            sum += std::isfinite(value) ? value : std::numeric_limits<Sum>::max();
        }
    }
    sums[threadIdx.x] = sum;
    for (int half = k_threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
        }
    }
    __syncthreads();
    const T mean = static_cast<T>(sums[0] / cols);
    for (std::int32_t j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = std::fma(alpha, x[row + j], bias[j]) + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    by_traits<float><<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
