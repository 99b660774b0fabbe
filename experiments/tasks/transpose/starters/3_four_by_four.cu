// Each thread turns blocks of four by four values in its registers: where rows of both matrices are
// aligned for it, four values move with every access. Odd shapes move one value at a time.

#ifndef TILE
#define TILE 64  // tune: 16, 32, 48, 64
#endif
#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 192, 256, 384, 512
#endif

constexpr int k_fours = TILE / 4;

__global__ void __launch_bounds__(BLOCK) transpose_fours(const float4* __restrict__ x,
                                                         float4* __restrict__ y, int rows,
                                                         int cols, int tiles_down,
                                                         int tiles_across) {
    // Fours of columns of a row of the result; a place moves by its row, so that neither the
    // writes nor the reads of a quarter of a warp meet in one bank.
    __shared__ float4 tile[TILE][k_fours];
    const int across = blockIdx.x % tiles_across;
    const int down = blockIdx.x / tiles_across % tiles_down;
    const long long matrix = blockIdx.x / tiles_across / tiles_down;
    const float4* from = x + matrix * rows * cols / 4;
    float4* to = y + matrix * rows * cols / 4;
    for (int work = threadIdx.x; work < k_fours * k_fours; work += BLOCK) {
        const int i = work % k_fours;  // four columns of x
        const int j = work / k_fours;  // four rows of x
        const int r = down * TILE + 4 * j;
        const int c = across * TILE + 4 * i;
        if (r < rows && c < cols) {  // then all four are inside
            const float4* at = from + (static_cast<long long>(r) * cols + c) / 4;
            const float4 a0 = at[0];
            const float4 a1 = at[cols / 4];
            const float4 a2 = at[cols / 2];
            const float4 a3 = at[cols / 4 * 3];
            tile[4 * i][(j + i) % k_fours] = make_float4(a0.x, a1.x, a2.x, a3.x);
            tile[4 * i + 1][(j + i) % k_fours] = make_float4(a0.y, a1.y, a2.y, a3.y);
            tile[4 * i + 2][(j + i) % k_fours] = make_float4(a0.z, a1.z, a2.z, a3.z);
            tile[4 * i + 3][(j + i) % k_fours] = make_float4(a0.w, a1.w, a2.w, a3.w);
        }
    }
    __syncthreads();
    for (int work = threadIdx.x; work < TILE * k_fours; work += BLOCK) {
        const int j = work % k_fours;  // four columns of y
        const int k = work / k_fours;  // a row of y
        const int r = down * TILE + 4 * j;
        const int c = across * TILE + k;
        if (r < rows && c < cols) {
            to[(static_cast<long long>(c) * rows + r) / 4] = tile[k][(j + k / 4) % k_fours];
        }
    }
}

__global__ void __launch_bounds__(256) transpose_values(const float* __restrict__ x,
                                                        float* __restrict__ y, int rows, int cols,
                                                        int tiles_down, int tiles_across) {
    __shared__ float tile[32][33];
    const int across = blockIdx.x % tiles_across;
    const int down = blockIdx.x / tiles_across % tiles_down;
    const long long matrix = blockIdx.x / tiles_across / tiles_down;
    const float* from = x + matrix * rows * cols;
    float* to = y + matrix * rows * cols;
    const int i = threadIdx.x % 32;
    for (int k = threadIdx.x / 32; k < 32; k += 8) {
        const int r = down * 32 + k;
        const int c = across * 32 + i;
        if (r < rows && c < cols) {
            tile[k][i] = from[static_cast<long long>(r) * cols + c];
        }
    }
    __syncthreads();
    for (int k = threadIdx.x / 32; k < 32; k += 8) {
        const int c = across * 32 + k;
        const int r = down * 32 + i;
        if (r < rows && c < cols) {
            to[static_cast<long long>(c) * rows + r] = tile[i][k];
        }
    }
}

void launch(const float* x, float* y, int batch, int rows, int cols, cudaStream_t stream) {
    const bool fours = rows % 4 == 0 && cols % 4 == 0;
    const int side = fours ? TILE : 32;
    const int down = (rows + side - 1) / side;
    const int across = (cols + side - 1) / side;
    if (fours) {
        transpose_fours<<<batch * down * across, BLOCK, 0, stream>>>(
            reinterpret_cast<const float4*>(x), reinterpret_cast<float4*>(y), rows, cols, down,
            across);
    } else {
        transpose_values<<<batch * down * across, 256, 0, stream>>>(x, y, rows, cols, down,
                                                                    across);
    }
}
