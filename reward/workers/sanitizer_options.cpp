// The jail takes from a sanitizer's runtime what it takes from everybody, and the tests ask how
// candidates die, so signals stay the candidate's. Empty in ordinary builds.

#if defined(__SANITIZE_ADDRESS__)
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "use_sigaltstack=0:handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:"
           "handle_sigfpe=0:detect_leaks=0:allocator_may_return_null=1";
}
#endif

#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
    return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:"
           "report_thread_leaks=0";
}
#endif
