// All arguments in one struct with pointers inside.
// expect: passed
// level: measure
struct Matrix {
    const float* data;
    int rows;
    int cols;
    __device__ float at(int i, int j) const { return data[static_cast<size_t>(i) * cols + j]; }
};
struct Arguments {
    Matrix x;
    const float* bias;
    float alpha;
    float* y;
};

__global__ void row_mean(Arguments given) {
    const int row = blockIdx.x;
    float sum = 0;
    for (int j = threadIdx.x; j < given.x.cols; j += 32) {
        sum += given.x.at(row, j);
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < given.x.cols; j += 32) {
        given.y[static_cast<size_t>(row) * given.x.cols + j] =
            given.alpha * given.x.at(row, j) + given.bias[j] + sum / given.x.cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 32, 0, stream>>>(Arguments{{x, rows, cols}, bias, alpha, y});
}
