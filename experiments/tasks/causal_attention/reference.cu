// Causal attention of each head, in double: one block per query, in rounds of as many keys as it
// has threads. Each thread scores one key; then each sums some columns of the values, which are
// kept in the output's row.

constexpr int k_threads = 128;

__global__ void attention_of_query(const float* q, const float* k, const float* v, float scale,
                                   double* o, int t, int d) {
    __shared__ double weights[k_threads];
    __shared__ double reduced[k_threads];
    const long long row = blockIdx.x;
    const long long first = row / t * t;  // of the head
    const int position = static_cast<int>(row - first);
    const float* query = q + row * d;
    double* to = o + row * d;
    double highest = -INFINITY;
    double sum = 0.0;
    for (int e = threadIdx.x; e < d; e += k_threads) {
        to[e] = 0.0;
    }
    for (int begin = 0; begin <= position; begin += k_threads) {
        const int other = begin + threadIdx.x;
        double score = -INFINITY;
        if (other <= position) {
            score = 0.0;
            for (int e = 0; e < d; ++e) {
                score += static_cast<double>(query[e]) * k[(first + other) * d + e];
            }
            score *= scale;
        }
        reduced[threadIdx.x] = score;
        __syncthreads();
        for (int half = k_threads / 2; half > 0; half /= 2) {
            if (threadIdx.x < half) {
                reduced[threadIdx.x] = fmax(reduced[threadIdx.x], reduced[threadIdx.x + half]);
            }
            __syncthreads();
        }
        const double now = fmax(highest, reduced[0]);
        const double late = exp(highest - now);  // of the first round: exp(-infinity)
        highest = now;
        weights[threadIdx.x] = other <= position ? exp(score - highest) : 0.0;
        __syncthreads();
        const int keys = min(k_threads, position - begin + 1);
        sum *= late;
        for (int i = 0; i < keys; ++i) {
            sum += weights[i];
        }
        for (int e = threadIdx.x; e < d; e += k_threads) {
            double value = to[e] * late;
            for (int i = 0; i < keys; ++i) {
                value += weights[i] * v[(first + begin + i) * d + e];
            }
            to[e] = value;
        }
        __syncthreads();  // before the next round writes what this one reads
    }
    for (int e = threadIdx.x; e < d; e += k_threads) {
        to[e] /= sum;
    }
}

void reference(const float* q, const float* k, const float* v, float scale, double* o, int heads,
               int t, int d, cudaStream_t stream) {
    attention_of_query<<<heads * t, k_threads, 0, stream>>>(q, k, v, scale, o, t, d);
}
