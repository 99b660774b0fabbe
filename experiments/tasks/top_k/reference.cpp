// The k largest values of each row in order, ties by position: each value, from left to right, goes
// behind all that are not below it.

extern "C" void reference(const float* x, double* largest, double* index, int rows, int n, int k) {
    for (long i = 0; i < rows; ++i) {
        double* best = largest + i * k;
        double* at = index + i * k;
        for (long j = 0; j < n; ++j) {
            const double value = x[i * n + j];
            long place = j < k ? j : k;  // so many are kept
            if (place == k && !(value > best[k - 1])) {
                continue;
            }
            place = place == k ? k - 1 : place;
            for (; place > 0 && value > best[place - 1]; --place) {
                best[place] = best[place - 1];
                at[place] = at[place - 1];
            }
            best[place] = value;
            at[place] = static_cast<double>(j);
        }
    }
}
