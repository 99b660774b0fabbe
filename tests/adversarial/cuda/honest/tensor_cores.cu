// Sums as products with ones on tensor cores, of three parts of 8 bits for each number.
// expect: passed
// level: measure
#include <cuda_bf16.h>
#include <mma.h>

using namespace nvcuda;

__global__ void find_sums(const float* x, float* sums, int rows, int cols) {
    __shared__ __nv_bfloat16 tile[3][16 * 16];
    __shared__ __nv_bfloat16 ones[16 * 16];
    __shared__ float result[16 * 16];
    wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major> a;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, wmma::row_major> b;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> c[3];
    for (int i = threadIdx.x; i < 256; i += 32) {
        ones[i] = __float2bfloat16(1.0F);
    }
    __syncwarp();
    wmma::load_matrix_sync(b, ones, 16);
    for (int part = 0; part < 3; ++part) {
        wmma::fill_fragment(c[part], 0.0F);
    }
    const int first = blockIdx.x * 16;
    for (int begin = 0; begin < cols; begin += 16) {
        for (int i = threadIdx.x; i < 256; i += 32) {
            const int row = first + i / 16;
            const int col = begin + i % 16;
            float rest = row < rows && col < cols ? x[static_cast<size_t>(row) * cols + col] : 0;
            for (int part = 0; part < 3; ++part) {
                tile[part][i] = __float2bfloat16(rest);
                rest -= __bfloat162float(tile[part][i]);
            }
        }
        __syncwarp();
        for (int part = 0; part < 3; ++part) {
            wmma::load_matrix_sync(a, tile[part], 16);
            wmma::mma_sync(c[part], a, b, c[part]);
        }
        __syncwarp();
    }
    for (int i = 0; i < c[0].num_elements; ++i) {
        c[0].x[i] += c[1].x[i] + c[2].x[i];
    }
    wmma::store_matrix_sync(result, c[0], 16, wmma::mem_row_major);
    __syncwarp();
    if (threadIdx.x < 16 && first + threadIdx.x < rows) {
        sums[first + threadIdx.x] = result[threadIdx.x * 16];
    }
}

__global__ void finish(const float* x, const float* bias, float alpha, float* y, const float* sums,
                       int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    for (int j = threadIdx.x; j < cols; j += 128) {
        y[row + j] = alpha * x[row + j] + bias[j] + sums[blockIdx.x] / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* sums;
    cudaMalloc(&sums, rows * sizeof(float));
    find_sums<<<(rows + 15) / 16, 32, 0, stream>>>(x, sums, rows, cols);
    finish<<<rows, 128, 0, stream>>>(x, bias, alpha, y, sums, cols);
}
