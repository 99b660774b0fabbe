"""The sum, and PyTorch's RMS norm of it."""

import torch.nn.functional as F


def baseline(x, residual, weight, eps, rows, cols):
    h = x + residual
    return F.rms_norm(h, (cols,), weight, eps), h
