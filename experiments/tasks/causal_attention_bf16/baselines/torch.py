"""PyTorch's own attention; which of its kernels runs is its choice."""

import torch.nn.functional as F


def baseline(q, k, v, scale, heads, t, d):
    out = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True, scale=scale)
    return out[0]
