// Tiles of queries against tiles of keys, with running maxima and sums (the way of FlashAttention):
// scores never leave the block. Sixteen threads share a row of scores. Widths above 128 take one
// warp per query instead.

#ifndef QUERIES
#define QUERIES 16  // tune: 16, 32, 64
#endif
#ifndef KEYS
#define KEYS 32  // tune: 16, 32, 64
#endif
#ifndef ROWS
#define ROWS 1  // tune: 1, 2, 4
#endif

constexpr int k_threads = 16 * QUERIES / ROWS;

__host__ __device__ constexpr int shared_floats(int width) {
    // queries and keys with a column more against bank conflicts, values, weights
    return QUERIES * (width + 1) + KEYS * (width + 1) + KEYS * width + QUERIES * (KEYS + 1);
}

// region: tile
template <int WIDTH>
__global__ void __launch_bounds__(k_threads)
    attention_tiles(const float* __restrict__ q, const float* __restrict__ k,
                    const float* __restrict__ v, float scale, float* __restrict__ o, int t, int d,
                    int tiles) {
    extern __shared__ float shared[];
    float* queries = shared;
    float* keys = queries + QUERIES * (WIDTH + 1);
    float* values = keys + KEYS * (WIDTH + 1);
    float* weights = values + KEYS * WIDTH;
    const long long head = static_cast<long long>(blockIdx.x / tiles) * t * d;
    const int first = (tiles - 1 - blockIdx.x % tiles) * QUERIES;  // the longest rows first
    const int tx = threadIdx.x % 16;
    const int ty = threadIdx.x / 16;
    for (int at = threadIdx.x; at < QUERIES * WIDTH; at += k_threads) {
        const int i = at / WIDTH;
        const int e = at % WIDTH;
        queries[i * (WIDTH + 1) + e] =
            first + i < t && e < d ? q[head + static_cast<long long>(first + i) * d + e] * scale
                                   : 0.0f;
    }
    float highest[ROWS];
    float sums[ROWS] = {};
    float out[ROWS][WIDTH / 16] = {};
    for (float& value : highest) {
        value = -INFINITY;
    }
    for (int begin = 0; begin < min(t, first + QUERIES); begin += KEYS) {
        __syncthreads();  // the last round's keys and values have been read
        for (int at = threadIdx.x; at < KEYS * WIDTH; at += k_threads) {
            const int i = at / WIDTH;
            const int e = at % WIDTH;
            const bool inside = begin + i < t && e < d;
            const long long from = head + static_cast<long long>(begin + i) * d + e;
            keys[i * (WIDTH + 1) + e] = inside ? k[from] : 0.0f;
            values[i * WIDTH + e] = inside ? v[from] : 0.0f;
        }
        __syncthreads();
        float scores[ROWS][KEYS / 16] = {};
#pragma unroll 8
        for (int e = 0; e < WIDTH; ++e) {
            float key[KEYS / 16];
#pragma unroll
            for (int j = 0; j < KEYS / 16; ++j) {
                key[j] = keys[(tx + 16 * j) * (WIDTH + 1) + e];
            }
#pragma unroll
            for (int i = 0; i < ROWS; ++i) {
                const float query = queries[(ty * ROWS + i) * (WIDTH + 1) + e];
#pragma unroll
                for (int j = 0; j < KEYS / 16; ++j) {
                    scores[i][j] += query * key[j];
                }
            }
        }
#pragma unroll
        for (int i = 0; i < ROWS; ++i) {
            float top = highest[i];
#pragma unroll
            for (int j = 0; j < KEYS / 16; ++j) {
                if (begin + tx + 16 * j > first + ty * ROWS + i) {
                    scores[i][j] = -INFINITY;  // a later key
                }
                top = fmaxf(top, scores[i][j]);
            }
            for (int step = 8; step > 0; step /= 2) {
                top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step, 16));
            }
            // Finite from the first round on, in which every query meets key 0.
            const float late = __expf(highest[i] - top);
            highest[i] = top;
            sums[i] *= late;
#pragma unroll
            for (int j = 0; j < KEYS / 16; ++j) {
                const float weight = __expf(scores[i][j] - top);
                weights[(ty * ROWS + i) * (KEYS + 1) + tx + 16 * j] = weight;
                sums[i] += weight;
            }
#pragma unroll
            for (int e = 0; e < WIDTH / 16; ++e) {
                out[i][e] *= late;
            }
        }
        __syncwarp();  // a row of weights is made and read by the same sixteen threads
#pragma unroll 4
        for (int j = 0; j < KEYS; ++j) {
            float value[WIDTH / 16];
#pragma unroll
            for (int e = 0; e < WIDTH / 16; ++e) {
                value[e] = values[j * WIDTH + tx + 16 * e];
            }
#pragma unroll
            for (int i = 0; i < ROWS; ++i) {
                const float weight = weights[(ty * ROWS + i) * (KEYS + 1) + j];
#pragma unroll
                for (int e = 0; e < WIDTH / 16; ++e) {
                    out[i][e] += weight * value[e];
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
        float sum = sums[i];
        for (int step = 8; step > 0; step /= 2) {
            sum += __shfl_xor_sync(0xffffffffu, sum, step, 16);
        }
        const int row = first + ty * ROWS + i;
        if (row < t) {
#pragma unroll
            for (int e = 0; e < WIDTH / 16; ++e) {
                if (tx + 16 * e < d) {
                    o[head + static_cast<long long>(row) * d + tx + 16 * e] = out[i][e] / sum;
                }
            }
        }
    }
}
// endregion: tile

// Any width: lanes share the columns, and a query's sums are kept in its row of the output.
__global__ void __launch_bounds__(128)
    attention_by_warps(const float* __restrict__ q, const float* __restrict__ k,
                       const float* __restrict__ v, float scale, float* o, long long rows, int t,
                       int d) {
    const int lane = threadIdx.x % 32;
    const long long row = static_cast<long long>(blockIdx.x) * 4 + threadIdx.x / 32;
    if (row >= rows) {
        return;
    }
    for (int e = lane; e < d; e += 32) {
        o[row * d + e] = 0.0f;
    }
    float highest = -INFINITY;
    float sum = 0.0f;
    for (long long other = row / t * t; other <= row; ++other) {
        float score = 0.0f;
        for (int e = lane; e < d; e += 32) {
            score += q[row * d + e] * k[other * d + e];
        }
        for (int step = 16; step > 0; step /= 2) {
            score += __shfl_xor_sync(0xffffffffu, score, step);
        }
        score *= scale;
        const float now = fmaxf(highest, score);
        const float late = __expf(highest - now);
        const float weight = __expf(score - now);
        highest = now;
        sum = sum * late + weight;
        for (int e = lane; e < d; e += 32) {
            o[row * d + e] = o[row * d + e] * late + weight * v[other * d + e];
        }
    }
    for (int e = lane; e < d; e += 32) {
        o[row * d + e] /= sum;
    }
}

template <int WIDTH>
void launch_tiles(const float* q, const float* k, const float* v, float scale, float* o, int heads,
                  int t, int d, cudaStream_t stream) {
    const int bytes = shared_floats(WIDTH) * static_cast<int>(sizeof(float));
    const int tiles = (t + QUERIES - 1) / QUERIES;
    cudaFuncSetAttribute(attention_tiles<WIDTH>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         bytes);
    attention_tiles<WIDTH>
        <<<heads * tiles, k_threads, bytes, stream>>>(q, k, v, scale, o, t, d, tiles);
}

void launch(const float* q, const float* k, const float* v, float scale, float* o, int heads, int t,
            int d, cudaStream_t stream) {
    if (d <= 32) {
        launch_tiles<32>(q, k, v, scale, o, heads, t, d, stream);
    } else if (d <= 64) {
        launch_tiles<64>(q, k, v, scale, o, heads, t, d, stream);
    } else if (d <= 128) {
        launch_tiles<128>(q, k, v, scale, o, heads, t, d, stream);
    } else {
        const long long rows = static_cast<long long>(heads) * t;
        attention_by_warps<<<(rows + 3) / 4, 128, 0, stream>>>(q, k, v, scale, o, rows, t, d);
    }
}
