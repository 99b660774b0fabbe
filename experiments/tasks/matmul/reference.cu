// C = A B with every product and sum in double: one thread per value of C, tiles of A and B in
// shared memory.

constexpr int k_tile = 16;

__global__ void product(const float* a, const float* b, double* c, int m, int n, int k,
                        int tiles_across) {
    __shared__ double a_tile[k_tile][k_tile];
    __shared__ double b_tile[k_tile][k_tile];
    const int tx = threadIdx.x;
    const int ty = threadIdx.y;
    const long long i = static_cast<long long>(blockIdx.x / tiles_across) * k_tile + ty;
    const long long j = static_cast<long long>(blockIdx.x % tiles_across) * k_tile + tx;
    double sum = 0.0;
    for (int first = 0; first < k; first += k_tile) {
        a_tile[ty][tx] = i < m && first + tx < k ? a[i * k + first + tx] : 0.0f;
        b_tile[ty][tx] =
            first + ty < k && j < n ? b[static_cast<long long>(first + ty) * n + j] : 0.0f;
        __syncthreads();
        for (int p = 0; p < k_tile && first + p < k; ++p) {
            sum += a_tile[ty][p] * b_tile[p][tx];
        }
        __syncthreads();
    }
    if (i < m && j < n) {
        c[i * n + j] = sum;
    }
}

void reference(const float* a, const float* b, double* c, int m, int n, int k,
               cudaStream_t stream) {
    const int down = (m + k_tile - 1) / k_tile;
    const int across = (n + k_tile - 1) / k_tile;
    product<<<down * across, dim3(k_tile, k_tile), 0, stream>>>(a, b, c, m, n, k, across);
}
