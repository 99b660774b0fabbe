// The k largest values of each row in order, ties by position: a partial sort of the positions.

#include <algorithm>
#include <numeric>
#include <vector>

extern "C" void reference(const float* x, double* largest, double* index, int rows, int n, int k) {
    std::vector<int> order(n);
    for (long i = 0; i < rows; ++i) {
        const float* row = x + i * n;
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(order.begin(), order.begin() + k, order.end(),
                          [&](int a, int b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
        for (long j = 0; j < k; ++j) {
            largest[i * k + j] = row[order[j]];
            index[i * k + j] = order[j];
        }
    }
}
