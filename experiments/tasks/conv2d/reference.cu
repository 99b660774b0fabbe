// Two-dimensional convolution (cross-correlation, as deep learning has it) with zero padding, every
// sum in double: one thread per value of y.

constexpr int k_threads = 256;

__global__ void convolve(const float* x, const float* f, double* y, int c, int h, int w, int k,
                         int r, int s, int stride, int oh, int ow, long long count) {
    const long long at = static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x;
    if (at >= count) {
        return;
    }
    const int column = static_cast<int>(at % ow);
    const int row = static_cast<int>(at / ow % oh);
    const long long plane = at / ow / oh;
    const float* image = x + plane / k * c * h * w;
    const float* filter = f + plane % k * c * r * s;
    double sum = 0.0;
    for (int channel = 0; channel < c; ++channel) {
        for (int u = 0; u < r; ++u) {
            for (int v = 0; v < s; ++v) {
                const long long i = static_cast<long long>(row) * stride + u - (r - 1) / 2;
                const long long j = static_cast<long long>(column) * stride + v - (s - 1) / 2;
                if (i >= 0 && i < h && j >= 0 && j < w) {
                    const double factor = filter[(static_cast<long long>(channel) * r + u) * s + v];
                    sum += factor * image[(static_cast<long long>(channel) * h + i) * w + j];
                }
            }
        }
    }
    y[at] = sum;
}

void reference(const float* x, const float* f, double* y, int n, int c, int h, int w, int k, int r,
               int s, int stride, cudaStream_t stream) {
    const int oh = (h + stride - 1) / stride;
    const int ow = (w + stride - 1) / stride;
    const long long count = static_cast<long long>(n) * k * oh * ow;
    convolve<<<(count + k_threads - 1) / k_threads, k_threads, 0, stream>>>(
        x, f, y, c, h, w, k, r, s, stride, oh, ow, count);
}
