// One block per row: the k-th largest is found digit by digit (radix selection), what is not below
// it is collected in shared memory and sorted there. More than shared memory holds is taken in k
// rounds instead.

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512, 1024
#endif
#ifndef UNROLL
#define UNROLL 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_warps = BLOCK / 32;
constexpr int k_most_sorted = 16 * 1024;

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

// By the first warp: of the digit that holds the needed-th largest key, how many of that digit are
// needed. Lane l has eight digits, from 255 - 8 l down.
__device__ void choose_digit(const unsigned* counts, unsigned needed, unsigned* digit,
                             unsigned* needed_of_digit) {
    const int lane = threadIdx.x;
    unsigned own = 0;
    for (int i = 0; i < 8; ++i) {
        own += counts[255 - 8 * lane - i];
    }
    unsigned up_to = own;
    for (int step = 1; step < 32; step *= 2) {
        const unsigned other = __shfl_up_sync(0xffffffffu, up_to, step);
        up_to += lane >= step ? other : 0;
    }
    unsigned before = up_to - own;
    if (before < needed && needed <= up_to) {  // one lane
        int at = 255 - 8 * lane;
        while (before + counts[at] < needed) {
            before += counts[at];
            --at;
        }
        *digit = at;
        *needed_of_digit = needed - before;
    }
}

// region: select
__global__ void __launch_bounds__(BLOCK)
    select_and_sort(const float* __restrict__ x, float* __restrict__ largest,
                    int* __restrict__ index, int n, int k, int sorted) {
    extern __shared__ unsigned long long kept[];
    __shared__ unsigned counts[256];
    __shared__ unsigned digit;
    __shared__ unsigned needed;
    __shared__ int kept_count;
    const float* row = x + static_cast<long long>(blockIdx.x) * n;
    for (int i = threadIdx.x; i < sorted; i += BLOCK) {
        kept[i] = 0;  // below every key
    }
    if (threadIdx.x == 0) {
        needed = k;
        kept_count = 0;
    }
    unsigned long long lowest = 0;  // the k-th key, as far as it is known
    int shift = 64;
    bool exact = n == k;
    while (!exact) {
        shift -= 8;
        for (int i = threadIdx.x; i < 256; i += BLOCK) {
            counts[i] = 0;
        }
        __syncthreads();
#pragma unroll UNROLL
        for (int j = threadIdx.x; j < n; j += BLOCK) {
            const unsigned long long key = key_of(row[j], j);
            if (shift == 56 || key >> (shift + 8) == lowest >> (shift + 8)) {
                atomicAdd(counts + (key >> shift & 255), 1u);
            }
        }
        __syncthreads();
        if (threadIdx.x < 32) {
            const unsigned still = needed;
            __syncwarp();
            choose_digit(counts, still, &digit, &needed);
        }
        __syncthreads();
        lowest |= static_cast<unsigned long long>(digit) << shift;
        exact = counts[digit] == needed;  // at the last digit every key is one of a kind
        __syncthreads();
    }
    __syncthreads();
#pragma unroll UNROLL
    for (int j = threadIdx.x; j < n; j += BLOCK) {
        const unsigned long long key = key_of(row[j], j);
        if (key >= lowest) {  // its unknown digits are zero
            kept[atomicAdd(&kept_count, 1)] = key;
        }
    }
    // Bitonic, from large to small.
    for (int size = 2; size <= sorted; size *= 2) {
        for (int step = size / 2; step > 0; step /= 2) {
            __syncthreads();
            for (int i = threadIdx.x; i < sorted / 2; i += BLOCK) {
                const int low = i / step * step * 2 + i % step;
                const int high = low + step;
                const bool down = (low & size) == 0;
                const unsigned long long a = kept[low];
                const unsigned long long b = kept[high];
                if ((a < b) == down) {
                    kept[low] = b;
                    kept[high] = a;
                }
            }
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < k; i += BLOCK) {
        const int place = place_of(kept[i]);
        largest[static_cast<long long>(blockIdx.x) * k + i] = row[place];
        index[static_cast<long long>(blockIdx.x) * k + i] = place;
    }
}
// endregion: select

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
    if (k > k_most_sorted) {
        take_in_rounds<<<rows, BLOCK, 0, stream>>>(x, largest, index, n, k);
        return;
    }
    int sorted = 1;
    while (sorted < k) {
        sorted *= 2;
    }
    const int bytes = sorted * static_cast<int>(sizeof(unsigned long long));
    cudaFuncSetAttribute(select_and_sort, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    select_and_sort<<<rows, BLOCK, bytes, stream>>>(x, largest, index, n, k, sorted);
}
