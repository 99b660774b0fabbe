// Two-dimensional convolution (cross-correlation, as deep learning has it) with zero padding, every
// sum in double: a row of an output plane stays in the cache as accumulators, and each tap of a
// filter adds the part of an input row that it meets.

extern "C" void reference(const float* x, const float* f, double* y, int n, int c, int h, int w,
                          int k, int r, int s, int stride) {
    const long oh = (h + stride - 1) / stride;
    const long ow = (w + stride - 1) / stride;
    const long top = (r - 1) / 2;
    const long left = (s - 1) / 2;
    for (long plane = 0; plane < static_cast<long>(n) * k; ++plane) {
        const float* image = x + plane / k * c * h * w;
        const float* filter = f + plane % k * c * r * s;
        for (long i = 0; i < oh; ++i) {
            double* row = y + (plane * oh + i) * ow;
            for (long j = 0; j < ow; ++j) {
                row[j] = 0.0;
            }
            for (long tap = 0; tap < static_cast<long>(c) * r * s; ++tap) {
                const long line = i * stride + tap / s % r - top;
                if (line < 0 || line >= h) {
                    continue;
                }
                const float* from = image + (tap / s / r * h + line) * w;
                const double factor = filter[tap];
                for (long j = 0; j < ow; ++j) {
                    const long column = j * stride + tap % s - left;
                    if (column >= 0 && column < w) {
                        row[j] += factor * from[column];
                    }
                }
            }
        }
    }
}
