// A cooperative launch of more blocks than fit on the device at a time.
// expect: rejected, launch_error
#include <cooperative_groups.h>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    if (blockIdx.x < rows) {
        row_mean(ROW_MEAN_VALUES);
    }
    cooperative_groups::this_grid().sync();
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    void* arguments[] = {&x, &bias, &alpha, &y, &rows, &cols};
    cudaLaunchCooperativeKernel(attack, dim3(1 << 20), dim3(k_threads), arguments, 0, stream);
}
