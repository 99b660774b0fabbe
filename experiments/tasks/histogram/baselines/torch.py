"""histc() counts whole numbers exactly and leaves out what lies outside."""

import torch


def baseline(keys, n, bins):
    if bins == 1:  # histc() takes an empty range for all values
        return (keys == 0).sum(dtype=torch.int32).reshape(1)
    return torch.histc(keys, bins=bins, min=0, max=bins - 1)
