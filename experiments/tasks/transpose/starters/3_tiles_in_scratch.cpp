// A tile is transposed into scratch, where lines do not compete for one set of the cache, and
// leaves it as whole lines of y, round the caches where the machine can.

// region: tile
#ifndef READ_ALONG_ROWS
#define READ_ALONG_ROWS 0  // tune: 0, 1
#endif
#ifndef TILE_UNROLL
#define TILE_UNROLL 4  // tune: 1, 2, 4, 8, 16
#endif

// y[c * ldy + r] = x[r * ldx + c]. READ_ALONG_ROWS: the inner loop reads along a row of x, and
// otherwise it writes along a row of y; TILE_UNROLL lines are done side by side.
static void transpose_tile(const float* __restrict x, long ldx, float* __restrict y, long ldy,
                           long rows, long cols) {
    const long lines = READ_ALONG_ROWS ? rows : cols;
    const long length = READ_ALONG_ROWS ? cols : rows;
    const long read_line = READ_ALONG_ROWS ? ldx : 1;
    const long read_step = READ_ALONG_ROWS ? 1 : ldx;
    const long write_line = READ_ALONG_ROWS ? 1 : ldy;
    const long write_step = READ_ALONG_ROWS ? ldy : 1;
    long line = 0;
    for (; line + TILE_UNROLL <= lines; line += TILE_UNROLL) {
        for (long i = 0; i < length; ++i) {
#pragma GCC unroll 16
            for (int u = 0; u < TILE_UNROLL; ++u) {
                y[(line + u) * write_line + i * write_step] =
                    x[(line + u) * read_line + i * read_step];
            }
        }
    }
    for (; line < lines; ++line) {
        for (long i = 0; i < length; ++i) {
            y[line * write_line + i * write_step] = x[line * read_line + i * read_step];
        }
    }
}
// endregion: tile

// region: matrix
#ifndef SCRATCH_ROWS
#define SCRATCH_ROWS 64  // tune: 16, 32, 64, 128, 256
#endif
#ifndef SCRATCH_COLS
#define SCRATCH_COLS 16  // tune: 8, 16, 32, 64
#endif
#ifndef SCRATCH_PAD
#define SCRATCH_PAD 0  // tune: 0, 4, 16
#endif
#ifndef STREAM
#define STREAM 0  // tune: 0, 1
#endif

// Copies one line; STREAM: by stores that go round the caches where `to` is aligned.
static void copy_line(const float* from, float* to, long n) {
    typedef float Quad __attribute__((vector_size(16), may_alias));
    typedef float LooseQuad __attribute__((vector_size(16), aligned(4), may_alias));
    long i = 0;
    if (STREAM) {
        for (; i < n && reinterpret_cast<unsigned long>(to + i) % 16 != 0; ++i) {
            to[i] = from[i];
        }
        for (; i + 4 <= n; i += 4) {
            const Quad value = *reinterpret_cast<const LooseQuad*>(from + i);
#if defined(__clang__)
            __builtin_nontemporal_store(value, reinterpret_cast<Quad*>(to + i));
#elif defined(__SSE__)
            __builtin_ia32_movntps(to + i, value);
#else
            *reinterpret_cast<Quad*>(to + i) = value;
#endif
        }
    }
    for (; i < n; ++i) {
        to[i] = from[i];
    }
}

static void transpose_matrix(const float* x, float* y, long rows, long cols) {
    constexpr long stride = SCRATCH_ROWS + SCRATCH_PAD;
    alignas(64) static float scratch[SCRATCH_COLS * stride];
    for (long c = 0; c < cols; c += SCRATCH_COLS) {
        const long wide = SCRATCH_COLS < cols - c ? SCRATCH_COLS : cols - c;
        for (long r = 0; r < rows; r += SCRATCH_ROWS) {
            const long high = SCRATCH_ROWS < rows - r ? SCRATCH_ROWS : rows - r;
            transpose_tile(x + r * cols + c, cols, scratch, stride, high, wide);
            for (long line = 0; line < wide; ++line) {
                copy_line(scratch + line * stride, y + (c + line) * rows + r, high);
            }
        }
    }
#if defined(__SSE__)
    if (STREAM) {
        __builtin_ia32_sfence();
    }
#endif
}
// endregion: matrix

extern "C" void launch(const float* x, float* y, int batch, int rows, int cols) {
    const long size = static_cast<long>(rows) * cols;
    for (long b = 0; b < batch; ++b) {
        transpose_matrix(x + b * size, y + b * size, rows, cols);
    }
}
