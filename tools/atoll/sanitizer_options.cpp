// HDF5 forgets some of its strings when a write fails, which is no leak of ours. Empty in ordinary
// builds.

#if defined(__SANITIZE_ADDRESS__)
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libhdf5\n";
}
#endif
