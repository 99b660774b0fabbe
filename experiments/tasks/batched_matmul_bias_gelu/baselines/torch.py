"""GELU (by erf) of x w + bias, in single precision."""

import torch
import torch.nn.functional as F


def baseline(x, w, bias, batch, m, n, k):
    return F.gelu(torch.baddbmm(bias.unsqueeze(1), x, w))
