// Tries to catch the fault that an overrun raises.
// expect: memory_fault
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

static void carry_on(int, siginfo_t*, void*) {}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    struct sigaction action {};
    action.sa_sigaction = carry_on;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    row_mean(ROW_MEAN_VALUES);
    y[static_cast<long>(rows) * cols] = 1;
}
