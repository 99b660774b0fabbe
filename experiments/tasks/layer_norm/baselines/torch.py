"""In double: layer_norm() of single precision rounds the mean, which the task forbids (rows far from zero)."""

import torch.nn.functional as F


def baseline(x, gamma, beta, eps, rows, cols):
    y = F.layer_norm(x.double(), (cols,), gamma.double(), beta.double(), eps)
    return y.to(x.dtype)
