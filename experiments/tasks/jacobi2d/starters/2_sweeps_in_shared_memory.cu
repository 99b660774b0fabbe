// Several sweeps per kernel: a block reads a tile with as many points around it as there are sweeps,
// and takes them in shared memory; each sweep spoils one more ring of points, and what is left is
// the tile.

#ifndef TILE_X
#define TILE_X 64  // tune: 32, 64, 128
#endif
#ifndef TILE_Y
#define TILE_Y 32  // tune: 16, 32
#endif
#ifndef SWEEPS
#define SWEEPS 4  // tune: 1, 2, 4, 6
#endif
#ifndef BLOCK
#define BLOCK 256  // tune: 128, 256, 512
#endif

constexpr int k_across = TILE_X + 2 * SWEEPS;
constexpr int k_down = TILE_Y + 2 * SWEEPS;
constexpr int k_points = k_across * k_down;

// region: sweep_tile
__global__ void __launch_bounds__(BLOCK)
    sweep_tile(const float* __restrict__ from, float* __restrict__ to, int h, int w, int sweeps,
               int tiles_across) {
    extern __shared__ float shared[];
    const int top = blockIdx.x / tiles_across * TILE_Y - SWEEPS;
    const int left = blockIdx.x % tiles_across * TILE_X - SWEEPS;
    for (int at = threadIdx.x; at < k_points; at += BLOCK) {
        const int i = top + at / k_across;
        const int j = left + at % k_across;
        const bool inside = i >= 0 && i < h && j >= 0 && j < w;
        shared[at] = inside ? from[static_cast<long long>(i) * w + j] : 0.0f;
    }
    const float* now = shared;
    float* next = shared + k_points;
    for (int s = 0; s < sweeps; ++s) {
        __syncthreads();
        for (int at = threadIdx.x; at < k_points; at += BLOCK) {
            const int y = at / k_across;
            const int x = at % k_across;
            const int i = top + y;
            const int j = left + x;
            float value = now[at];
            if (i > 0 && i + 1 < h && j > 0 && j + 1 < w && y > 0 && y + 1 < k_down && x > 0 &&
                x + 1 < k_across) {
                value = 0.2f * (value + now[at - 1] + now[at + 1] + now[at - k_across] +
                                now[at + k_across]);
            }
            next[at] = value;
        }
        const float* old = now;
        now = next;
        next = const_cast<float*>(old);
    }
    __syncthreads();
    for (int at = threadIdx.x; at < TILE_X * TILE_Y; at += BLOCK) {
        const int y = SWEEPS + at / TILE_X;
        const int x = SWEEPS + at % TILE_X;
        if (top + y < h && left + x < w) {
            to[static_cast<long long>(top + y) * w + left + x] = now[y * k_across + x];
        }
    }
}
// endregion: sweep_tile

void launch(const float* u, float* v, int h, int w, int sweeps, cudaStream_t stream) {
    const int across = (w + TILE_X - 1) / TILE_X;
    const int blocks = across * ((h + TILE_Y - 1) / TILE_Y);
    const int bytes = 2 * k_points * static_cast<int>(sizeof(float));
    cudaFuncSetAttribute(sweep_tile, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    const int passes = (sweeps + SWEEPS - 1) / SWEEPS;
    float* scratch = nullptr;
    if (passes > 1) {
        cudaMalloc(&scratch, static_cast<size_t>(h) * w * sizeof(float));
    }
    const float* from = u;
    for (int pass = 0; pass < passes; ++pass) {
        const int rest = sweeps - pass * SWEEPS;
        float* to = (passes - pass) % 2 == 1 ? v : scratch;  // the last one ends in v
        sweep_tile<<<blocks, BLOCK, bytes, stream>>>(from, to, h, w, rest < SWEEPS ? rest : SWEEPS,
                                                     across);
        from = to;
    }
    if (scratch != nullptr) {
        cudaFree(scratch);
    }
}
