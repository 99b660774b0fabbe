// A cluster of two blocks per row that read each other's shared memory; the sum of a part in single
// precision.
// expect: passed
// level: measure
#include <cooperative_groups.h>

struct Sum {
    float sum = 0;
    __device__ void add(float value) { sum += value; }
    __device__ float value() const { return sum; }
};

namespace cg = cooperative_groups;

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                         int cols) {
    __shared__ float parts[64];
    cg::cluster_group cluster = cg::this_cluster();
    const unsigned rank = cluster.block_rank();
    const size_t row = static_cast<size_t>(blockIdx.x / 2) * cols;
    Sum sum;
    for (int j = rank * 64 + threadIdx.x; j < cols; j += 128) {
        sum.add(x[row + j]);
    }
    parts[threadIdx.x] = sum.value();
    for (int half = 32; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            parts[threadIdx.x] += parts[threadIdx.x + half];
        }
    }
    cluster.sync();
    const float mean = (parts[0] + *cluster.map_shared_rank(parts, rank ^ 1)) / cols;
    cluster.sync();
    for (int j = rank * 64 + threadIdx.x; j < cols; j += 128) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = 2;
    attribute.val.clusterDim.y = 1;
    attribute.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(2 * rows);
    config.blockDim = dim3(64);
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    cudaLaunchKernelEx(&config, row_mean, x, bias, alpha, y, cols);
}
