"""PyTorch's matrix-vector product."""


def baseline(w, x, m, k):
    return w @ x
