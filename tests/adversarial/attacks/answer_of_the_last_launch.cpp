// Writes the answer of the launch before.
// expect: wrong_result, inconsistent
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>

#include <vector>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    static std::vector<float> last(1 << 20);
    std::vector<float> now(static_cast<long>(rows) * cols);
    row_mean(x, bias, alpha, now.data(), rows, cols);
    memcpy(y, last.data(), now.size() * sizeof(float));
    memcpy(last.data(), now.data(), now.size() * sizeof(float));
}
