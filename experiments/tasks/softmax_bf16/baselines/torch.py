"""PyTorch's softmax."""

import torch


def baseline(x, rows, cols):
    return torch.softmax(x, 1)
