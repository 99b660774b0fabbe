// Squares of vectors transposed in registers, within tiles; the lines of x that come next may be
// fetched ahead.

// region: tile
#ifndef SQUARE_BYTES
#define SQUARE_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef SQUARES_DOWN_FIRST
#define SQUARES_DOWN_FIRST 1  // tune: 0, 1
#endif

typedef float Line __attribute__((vector_size(SQUARE_BYTES)));
typedef float LooseLine __attribute__((vector_size(SQUARE_BYTES), aligned(4), may_alias));

// The lanes of two vectors in turn: those of the lower halves, and those of the upper ones.
#if SQUARE_BYTES == 64
static inline Line lower_in_turn(Line a, Line b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline Line upper_in_turn(Line a, Line b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                   31);
}
#elif SQUARE_BYTES == 32
static inline Line lower_in_turn(Line a, Line b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

static inline Line upper_in_turn(Line a, Line b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
#else
static inline Line lower_in_turn(Line a, Line b) {
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}

static inline Line upper_in_turn(Line a, Line b) {
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}
#endif

// A square of as many rows as a vector has lanes: taking each line and the one half the square
// below it in turn, as often as it takes to reach 1 from the number of lines by halving, transposes
// it.
static inline void transpose_square(const float* x, long ldx, float* y, long ldy) {
    constexpr int side = SQUARE_BYTES / 4;
    Line lines[side];
    Line next[side];
#pragma GCC unroll 16
    for (int i = 0; i < side; ++i) {
        lines[i] = *reinterpret_cast<const LooseLine*>(x + i * ldx);
    }
#pragma GCC unroll 4
    for (int round = 1; round < side; round *= 2) {
#pragma GCC unroll 8
        for (int i = 0; i < side / 2; ++i) {
            next[2 * i] = lower_in_turn(lines[i], lines[i + side / 2]);
            next[2 * i + 1] = upper_in_turn(lines[i], lines[i + side / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < side; ++i) {
            lines[i] = next[i];
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < side; ++i) {
        *reinterpret_cast<LooseLine*>(y + i * ldy) = lines[i];
    }
}

// y[c * ldy + r] = x[r * ldx + c], by squares; what is left at two edges goes element by element.
static void transpose_tile(const float* x, long ldx, float* y, long ldy, long rows, long cols) {
    constexpr long side = SQUARE_BYTES / 4;
    const long whole_rows = rows / side * side;
    const long whole_cols = cols / side * side;
    const long outer = SQUARES_DOWN_FIRST ? whole_cols : whole_rows;
    const long inner = SQUARES_DOWN_FIRST ? whole_rows : whole_cols;
    for (long i = 0; i < outer; i += side) {
        for (long j = 0; j < inner; j += side) {
            const long r = SQUARES_DOWN_FIRST ? j : i;
            const long c = SQUARES_DOWN_FIRST ? i : j;
            transpose_square(x + r * ldx + c, ldx, y + c * ldy + r, ldy);
        }
    }
    for (long r = 0; r < rows; ++r) {
        for (long c = r < whole_rows ? whole_cols : 0; c < cols; ++c) {
            y[c * ldy + r] = x[r * ldx + c];
        }
    }
}
// endregion: tile

// region: matrix
#ifndef BAND_ROWS
#define BAND_ROWS 16  // tune: 16, 32, 64, 128
#endif
#ifndef BAND_COLS
#define BAND_COLS 64  // tune: 16, 32, 64, 128, 256, 512
#endif
#ifndef FETCH_AHEAD
#define FETCH_AHEAD 0  // tune: 0, 1, 2
#endif

// Bands of rows, cut into tiles; FETCH_AHEAD tiles further along, x is fetched.
static void transpose_matrix(const float* x, float* y, long rows, long cols) {
    for (long r = 0; r < rows; r += BAND_ROWS) {
        const long high = BAND_ROWS < rows - r ? BAND_ROWS : rows - r;
        for (long c = 0; c < cols; c += BAND_COLS) {
            const long wide = BAND_COLS < cols - c ? BAND_COLS : cols - c;
            for (long i = 0; FETCH_AHEAD > 0 && i < high; ++i) {
                const float* ahead = x + (r + i) * cols + c + FETCH_AHEAD * BAND_COLS;
                for (long j = 0; j < wide; j += 16) {
                    __builtin_prefetch(ahead + j);
                }
            }
            transpose_tile(x + r * cols + c, cols, y + c * rows + r, rows, high, wide);
        }
    }
}
// endregion: matrix

extern "C" void launch(const float* x, float* y, int batch, int rows, int cols) {
    const long size = static_cast<long>(rows) * cols;
    for (long b = 0; b < batch; ++b) {
        transpose_matrix(x + b * size, y + b * size, rows, cols);
    }
}
