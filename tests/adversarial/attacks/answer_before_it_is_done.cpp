// Finds the page on which launches are ordered and answered, says "done" and computes then.
// Harmless where it passes: who waits for the answer runs on the same core.
// expect: passed, wrong_result, inconsistent, reward_hack
// level: measure
// at_least_us: 300
#include "tests/adversarial/control_page.hpp"
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (ControlPage* page = find_control_page()) {
        page->reply = page->command;
        wake(page->reply);
    }
    costly_row_mean(ROW_MEAN_VALUES);
}
