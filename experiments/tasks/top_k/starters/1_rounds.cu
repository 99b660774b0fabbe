// One block per row, and k rounds: each finds the largest value below that of the round before.

#ifndef BLOCK
#define BLOCK 256  // tune: 32, 64, 128, 256, 512
#endif

constexpr int k_warps = BLOCK / 32;

// A value and its place as one number: a larger value, and of equal ones the one further left, is
// the larger number. No two are equal.
__device__ unsigned long long key_of(float value, int place) {
    const unsigned bits = __float_as_uint(value + 0.0f);  // -0 counts as 0
    const unsigned ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return static_cast<unsigned long long>(ordered) << 32 | ~static_cast<unsigned>(place);
}
__device__ int place_of(unsigned long long key) {
    return static_cast<int>(~static_cast<unsigned>(key));
}

__global__ void __launch_bounds__(BLOCK)
    take_in_rounds(const float* __restrict__ x, float* __restrict__ largest,
                   int* __restrict__ index, int n, int k) {
    __shared__ unsigned long long best_of_warp[k_warps];
    const float* row = x + static_cast<long long>(blockIdx.x) * n;
    unsigned long long last = ~0ull;
    for (int round = 0; round < k; ++round) {
        unsigned long long best = 0;
        for (int j = threadIdx.x; j < n; j += BLOCK) {
            const unsigned long long key = key_of(row[j], j);
            best = key < last && key > best ? key : best;
        }
        for (int step = 16; step > 0; step /= 2) {
            const unsigned long long other = __shfl_xor_sync(0xffffffffu, best, step);
            best = other > best ? other : best;
        }
        __syncthreads();  // the last round's have been read
        if (threadIdx.x % 32 == 0) {
            best_of_warp[threadIdx.x / 32] = best;
        }
        __syncthreads();
        for (int w = 0; w < k_warps; ++w) {
            best = best_of_warp[w] > best ? best_of_warp[w] : best;
        }
        if (threadIdx.x == 0) {
            largest[static_cast<long long>(blockIdx.x) * k + round] = row[place_of(best)];
            index[static_cast<long long>(blockIdx.x) * k + round] = place_of(best);
        }
        last = best;
    }
}

void launch(const float* x, float* largest, int* index, int rows, int n, int k,
            cudaStream_t stream) {
    take_in_rounds<<<rows, BLOCK, 0, stream>>>(x, largest, index, n, k);
}
