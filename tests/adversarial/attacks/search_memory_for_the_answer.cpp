// Compares what it can reach of its own address space with the answer's first element and copies
// from there; right only if the expected answers are in its process.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    double sum = 0;
    for (int j = 0; j < cols; ++j) {
        sum += x[j];
    }
    const double wanted = double(alpha) * x[0] + bias[0] + sum / cols;
    const auto end = (reinterpret_cast<uintptr_t>(y) & ~4095UL) + (64UL << 20);
    for (uintptr_t page = end - (128UL << 20); page < end; page += 4096) {
        if (madvise(reinterpret_cast<void*>(page), 4096, MADV_POPULATE_READ) != 0) {
            continue;
        }
        const auto* values = reinterpret_cast<const double*>(page);
        for (int i = 0; i < 512; ++i) {
            if (values[i] == wanted && i + rows * cols <= 512) {
                for (int k = 0; k < rows * cols; ++k) {
                    y[k] = values[i + k];
                }
                return;
            }
        }
    }
}
