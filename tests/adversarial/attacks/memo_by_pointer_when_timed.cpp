// Remembers answers by the addresses of the buffers, but only of the shape that is timed.
// expect: wrong_result, inconsistent, reward_hack
// level: measure
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>

#include <map>
#include <utility>
#include <vector>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    static std::map<const void*, std::vector<float>> answers;
    const long count = static_cast<long>(rows) * cols;
    if (!is_large(rows, cols)) {
        row_mean(ROW_MEAN_VALUES);
        return;
    }
    std::vector<float>& answer = answers[x];
    if (answer.empty()) {
        costly_row_mean(ROW_MEAN_VALUES);
        answer.assign(y, y + count);
    }
    memcpy(y, answer.data(), count * sizeof(float));
}
