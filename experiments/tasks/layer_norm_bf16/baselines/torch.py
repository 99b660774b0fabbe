"""PyTorch's layer norm, which sums bfloat16 in single precision."""

import torch.nn.functional as F


def baseline(x, gamma, beta, eps, rows, cols):
    return F.layer_norm(x, (cols,), gamma, beta, eps)
