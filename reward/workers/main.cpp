// atoll-worker: one of the process roles of DESIGN section 6, started by the supervisor.
int main() {
    return 2;
}
