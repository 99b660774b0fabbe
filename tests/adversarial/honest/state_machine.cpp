// One loop over all elements with a state machine that knows which pass it is in.
// expect: passed

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    enum class Pass { sum, write, done };
    Pass pass = rows > 0 && cols > 0 ? Pass::sum : Pass::done;
    double sum = 0;
    for (long i = 0, j = 0; pass != Pass::done;) {
        if (pass == Pass::sum) {
            sum += x[i * cols + j];
        } else {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
        if (++j < cols) {
            continue;
        }
        j = 0;
        if (pass == Pass::sum) {
            pass = Pass::write;
        } else {
            sum = 0;
            pass = ++i < rows ? Pass::sum : Pass::done;
        }
    }
}
