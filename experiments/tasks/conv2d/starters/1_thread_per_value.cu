// One thread per value of y, neighbours in a row beside each other; caches do the rest.

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256
#endif

__global__ void __launch_bounds__(BLOCK)
    convolve(const float* __restrict__ x, const float* __restrict__ f, float* __restrict__ y, int c,
             int h, int w, int k, int r, int s, int stride, int oh, int ow, long long count) {
    const long long at = static_cast<long long>(blockIdx.x) * BLOCK + threadIdx.x;
    if (at >= count) {
        return;
    }
    const int column = static_cast<int>(at % ow);
    const int row = static_cast<int>(at / ow % oh);
    const long long plane = at / ow / oh;
    const float* image = x + plane / k * c * h * w;
    const float* filter = f + plane % k * c * r * s;
    const int top = row * stride - (r - 1) / 2;
    const int left = column * stride - (s - 1) / 2;
    float sum = 0.0f;
    for (int channel = 0; channel < c; ++channel) {
        for (int u = 0; u < r; ++u) {
            if (top + u < 0 || top + u >= h) {
                continue;
            }
            const float* line = image + (static_cast<long long>(channel) * h + top + u) * w;
            const float* taps = filter + (static_cast<long long>(channel) * r + u) * s;
            for (int v = 0; v < s; ++v) {
                if (left + v >= 0 && left + v < w) {
                    sum += taps[v] * line[left + v];
                }
            }
        }
    }
    y[at] = sum;
}

void launch(const float* x, const float* f, float* y, int n, int c, int h, int w, int k, int r,
            int s, int stride, cudaStream_t stream) {
    const int oh = (h + stride - 1) / stride;
    const int ow = (w + stride - 1) / stride;
    const long long count = static_cast<long long>(n) * k * oh * ow;
    convolve<<<(count + BLOCK - 1) / BLOCK, BLOCK, 0, stream>>>(x, f, y, c, h, w, k, r, s, stride,
                                                                oh, ow, count);
}
