// Copies every value byte by byte.
// expect: passed

static float load(const float* from) {
    float value;
    for (int b = 0; b < 4; ++b) {
        reinterpret_cast<char*>(&value)[b] = reinterpret_cast<const volatile char*>(from)[b];
    }
    return value;
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += load(x + i * cols + j);
        }
        for (long j = 0; j < cols; ++j) {
            const float value = alpha * load(x + i * cols + j) + load(bias + j) + sum / cols;
            for (int b = 0; b < 4; ++b) {
                reinterpret_cast<volatile char*>(y + i * cols + j)[b] =
                    reinterpret_cast<const char*>(&value)[b];
            }
        }
    }
}
