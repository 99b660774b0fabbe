// Causal attention of each head, in double: query i meets keys 0 to i, with the largest score
// subtracted before the exponentials. Sums of weighted values are kept in the output's row.

extern "C" void reference(const float* q, const float* k, const float* v, float scale, double* o,
                          int heads, int t, int d) {
    for (long row = 0; row < static_cast<long>(heads) * t; ++row) {
        const long first = row / t * t;
        const float* query = q + row * d;
        double* to = o + row * d;
        double highest = -__builtin_inf();
        double sum = 0.0;
        for (long e = 0; e < d; ++e) {
            to[e] = 0.0;
        }
        for (long other = first; other <= row; ++other) {
            double score = 0.0;
            for (long e = 0; e < d; ++e) {
                score += static_cast<double>(query[e]) * k[other * d + e];
            }
            score *= scale;
            if (score > highest) {
                const double late = __builtin_exp(highest - score);
                highest = score;
                sum *= late;
                for (long e = 0; e < d; ++e) {
                    to[e] *= late;
                }
            }
            const double weight = __builtin_exp(score - highest);
            sum += weight;
            for (long e = 0; e < d; ++e) {
                to[e] += weight * v[other * d + e];
            }
        }
        for (long e = 0; e < d; ++e) {
            to[e] /= sum;
        }
    }
}
