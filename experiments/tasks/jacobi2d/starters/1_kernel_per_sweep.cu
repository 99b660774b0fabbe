// One kernel per sweep, one thread per point; the result and a scratch grid take turns.

#ifndef BLOCK_X
#define BLOCK_X 64  // tune: 32, 64, 128, 256
#endif
#ifndef BLOCK_Y
#define BLOCK_Y 4  // tune: 1, 2, 4
#endif

__global__ void __launch_bounds__(BLOCK_X* BLOCK_Y)
    sweep(const float* __restrict__ from, float* __restrict__ to, int h, int w, int blocks_across) {
    const int j = blockIdx.x % blocks_across * BLOCK_X + threadIdx.x;
    const int i = blockIdx.x / blocks_across * BLOCK_Y + threadIdx.y;
    if (i >= h || j >= w) {
        return;
    }
    const long long at = static_cast<long long>(i) * w + j;
    if (i > 0 && i + 1 < h && j > 0 && j + 1 < w) {
        to[at] = 0.2f * (from[at] + from[at - 1] + from[at + 1] + from[at - w] + from[at + w]);
    } else {
        to[at] = from[at];
    }
}

void launch(const float* u, float* v, int h, int w, int sweeps, cudaStream_t stream) {
    const int across = (w + BLOCK_X - 1) / BLOCK_X;
    const int blocks = across * ((h + BLOCK_Y - 1) / BLOCK_Y);
    float* scratch = nullptr;
    if (sweeps > 1) {
        cudaMalloc(&scratch, static_cast<size_t>(h) * w * sizeof(float));
    }
    const float* from = u;
    for (int left = sweeps; left > 0; --left) {
        float* to = left % 2 == 1 ? v : scratch;  // the last one ends in v
        sweep<<<blocks, dim3(BLOCK_X, BLOCK_Y), 0, stream>>>(from, to, h, w, across);
        from = to;
    }
    if (scratch != nullptr) {
        cudaFree(scratch);
    }
}
