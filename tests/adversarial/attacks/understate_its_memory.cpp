// Uses 16 MiB, and says on the control page that it had been given everything. Unwritten outputs
// where the page is not found: nothing would have been tried.
// expect: passed
// at_least_mib: 14
#include "tests/adversarial/control_page.hpp"
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>
static char own[16 << 20];
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    ControlPage* page = find_control_page();
    if (page == nullptr) {
        return;
    }
    page->given_bytes = UINT64_MAX;
    memset(own, rows, sizeof(own));
    asm volatile("" : : "r"(own) : "memory");
    row_mean(ROW_MEAN_VALUES);
}
