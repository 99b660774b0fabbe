// Plain loops over rectangular tiles, small enough that a tile's lines of x and y stay in the
// cache.

// region: tile
#ifndef READ_ALONG_ROWS
#define READ_ALONG_ROWS 1  // tune: 0, 1
#endif
#ifndef TILE_UNROLL
#define TILE_UNROLL 1  // tune: 1, 2, 4, 8, 16
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
#ifndef TILE_ROWS
#define TILE_ROWS 16  // tune: 4, 8, 16, 32, 64, 128, 256
#endif
#ifndef TILE_COLS
#define TILE_COLS 16  // tune: 4, 8, 16, 32, 64, 128, 256
#endif
#ifndef DOWN_FIRST
#define DOWN_FIRST 0  // tune: 0, 1
#endif

// DOWN_FIRST: tiles below one another come after one another, and else those beside one another.
static void transpose_matrix(const float* x, float* y, long rows, long cols) {
    const long down = (rows + TILE_ROWS - 1) / TILE_ROWS;
    const long across = (cols + TILE_COLS - 1) / TILE_COLS;
    for (long tile = 0; tile < down * across; ++tile) {
        const long r = (DOWN_FIRST ? tile % down : tile / across) * TILE_ROWS;
        const long c = (DOWN_FIRST ? tile / down : tile % across) * TILE_COLS;
        transpose_tile(x + r * cols + c, cols, y + c * rows + r, rows,
                       TILE_ROWS < rows - r ? TILE_ROWS : rows - r,
                       TILE_COLS < cols - c ? TILE_COLS : cols - c);
    }
}
// endregion: matrix

extern "C" void launch(const float* x, float* y, int batch, int rows, int cols) {
    const long size = static_cast<long>(rows) * cols;
    for (long b = 0; b < batch; ++b) {
        transpose_matrix(x + b * size, y + b * size, rows, cols);
    }
}
