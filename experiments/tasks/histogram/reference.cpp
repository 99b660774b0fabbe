// How many keys equal each bin; keys outside of [0, bins) count nowhere.

extern "C" void reference(const int* keys, double* counts, int n, int bins) {
    for (long b = 0; b < bins; ++b) {
        counts[b] = 0.0;
    }
    for (long i = 0; i < n; ++i) {
        if (keys[i] >= 0 && keys[i] < bins) {
            counts[keys[i]] += 1.0;
        }
    }
}
