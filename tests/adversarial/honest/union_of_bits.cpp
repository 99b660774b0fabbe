// The sign is taken apart from the magnitude through a union, and put back.
// expect: passed

union Bits {
    float value;
    unsigned bits;
};

static float flipped_twice(float v) {
    Bits b{v};
    b.bits ^= 0x80000000U;
    Bits c{b.value};
    c.bits ^= 0x80000000U;
    return c.value;
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += flipped_twice(x[i * cols + j]);
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
