// lse = log of the sum of exponentials of each row, loss = lse less the label's logit, in double.

#include <cmath>

extern "C" void reference(const float* logits, const int* labels, double* loss, double* lse,
                          int rows, int classes) {
    for (long i = 0; i < rows; ++i) {
        const float* row = logits + i * classes;
        double highest = row[0];
        for (long j = 1; j < classes; ++j) {
            highest = row[j] > highest ? row[j] : highest;
        }
        double sum = 0.0;
        for (long j = 0; j < classes; ++j) {
            sum += std::exp(row[j] - highest);
        }
        lse[i] = highest + std::log(sum);
        loss[i] = labels[i] < 0 ? 0.0 : (highest - row[labels[i]]) + std::log(sum);
    }
}
