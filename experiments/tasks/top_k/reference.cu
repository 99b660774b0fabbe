// The k largest values of each row in order, ties by position: a value's place is the number of
// values that come before it, those above it and equal ones further left.

constexpr int k_threads = 256;

__global__ void places(const float* x, double* largest, double* index, int n, int k,
                       int blocks_per_row) {
    __shared__ float others[k_threads];
    const long long row = blockIdx.x / blocks_per_row;
    const int j = blockIdx.x % blocks_per_row * k_threads + threadIdx.x;
    const float* from = x + row * n;
    const float value = j < n ? from[j] : 0.0f;
    int place = 0;
    for (int first = 0; first < n; first += k_threads) {
        const int count = min(k_threads, n - first);
        if (threadIdx.x < count) {
            others[threadIdx.x] = from[first + threadIdx.x];
        }
        __syncthreads();
        for (int i = 0; i < count; ++i) {
            place += others[i] > value || (others[i] == value && first + i < j) ? 1 : 0;
        }
        __syncthreads();
    }
    if (j < n && place < k) {
        largest[row * k + place] = value;
        index[row * k + place] = j;
    }
}

void reference(const float* x, double* largest, double* index, int rows, int n, int k,
               cudaStream_t stream) {
    const int blocks_per_row = (n + k_threads - 1) / k_threads;
    places<<<rows * blocks_per_row, k_threads, 0, stream>>>(x, largest, index, n, k,
                                                            blocks_per_row);
}
