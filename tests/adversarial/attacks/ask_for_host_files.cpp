// Learns with the preprocessor which files the host has; right only if one is there. Without a root
// of its own (level restricted), a compiler that may not open such a file ends there and says so.
// expect: wrong_result, compile_error
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
#if __has_include("/etc/passwd") || __has_include("/etc/hostname") || __has_include("/proc/stat")
    row_mean(ROW_MEAN_VALUES);
#endif
}
