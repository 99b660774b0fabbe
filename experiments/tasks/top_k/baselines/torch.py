"""topk() promises no order among equal values, so it works on keys that no two elements share:
the value's bits, made to sort like numbers, above the position counted from the end."""

import torch


def baseline(x, rows, n, k):
    bits = (x + 0.0).view(torch.int32).long()  # + 0.0: both zeros are equal
    ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    keys = (ordered << 32) | torch.arange(n - 1, -1, -1, device=x.device)
    index = n - 1 - (keys.topk(k, dim=1).values & 0xFFFFFFFF)
    return x.gather(1, index), index.int()


def in_double(x, rows, n, k):
    values, index = torch.sort(x, dim=1, descending=True, stable=True)
    return values[:, :k], index[:, :k]
