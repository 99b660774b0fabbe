"""Rows of the table, zeros for padding."""

import torch
import torch.nn.functional as F


def baseline(table, ids, vocab, dim, tokens):
    return torch.where(ids.unsqueeze(1) < 0, 0.0, F.embedding(ids.clamp(min=0), table))
