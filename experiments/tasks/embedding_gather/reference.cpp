// out[t] = row ids[t] of the table, or zeros where ids[t] is negative.

extern "C" void reference(const float* table, const int* ids, double* out, int vocab, int dim,
                          int tokens) {
    static_cast<void>(vocab);
    for (long t = 0; t < tokens; ++t) {
        for (long j = 0; j < dim; ++j) {
            out[t * dim + j] = ids[t] < 0 ? 0.0 : table[static_cast<long>(ids[t]) * dim + j];
        }
    }
}
