// Quick garbage in three of five launches, at random. Where no judged launch meets any, it passes
// but gains nothing: its time is not below that of the launches that were found right.
// expect: passed, wrong_result, inconsistent, reward_hack
// level: measure
// at_least_us: 300
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    static int calls = 0;
    static unsigned long draw = static_cast<unsigned long>(now_ns());
    if (is_large(rows, cols) && ++calls > 1) {
        draw = draw * 6364136223846793005UL + 1442695040888963407UL;
        if ((draw >> 33) % 5 < 3) {
            garbage(y, rows, cols);
            return;
        }
    }
    costly_row_mean(ROW_MEAN_VALUES);
}
