// `sweeps` Jacobi sweeps of the five-point mean, in double; the border keeps its values.

#include <utility>
#include <vector>

extern "C" void reference(const float* u, double* v, int h, int w, int sweeps) {
    const long count = static_cast<long>(h) * w;
    std::vector<double> from(u, u + count);
    std::vector<double> to = from;
    for (int s = 0; s < sweeps; ++s) {
        for (long i = 1; i + 1 < h; ++i) {
            const double* here = from.data() + i * w;
            double* row = to.data() + i * w;
            for (long j = 1; j + 1 < w; ++j) {
                row[j] = 0.2 * (here[j] + here[j - 1] + here[j + 1] + here[j - w] + here[j + w]);
            }
        }
        std::swap(from, to);
    }
    for (long i = 0; i < count; ++i) {
        v[i] = from[i];
    }
}
