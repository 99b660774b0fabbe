"""A copy of the transposed view."""


def baseline(x, batch, rows, cols):
    return x.transpose(1, 2).contiguous()
