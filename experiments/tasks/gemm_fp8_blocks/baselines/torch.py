"""cuBLASLt's scaled product through torch._scaled_mm, where it takes the shape; else scaled values multiplied."""

import torch


def scaled(values, scales, rows, columns, kind):
    """Values times their scales; `rows` of them share one, and 128 columns."""
    each = scales.to(kind).repeat_interleave(rows, 0)[: values.shape[0]]
    return values.to(kind) * each.repeat_interleave(128, 1)[:, :columns]


def baseline(a, a_scale, b, b_scale, m, n, k):
    if m % 8 == 0 and n % 128 == 0 and k % 512 == 0:  # other scales of B would need padding
        # The scales of A lie column by column there.
        by_columns = a_scale.t().contiguous().t()
        return torch._scaled_mm(a, b.t(), scale_a=by_columns, scale_b=b_scale.t(), out_dtype=torch.bfloat16)
    return (scaled(a, a_scale, 1, k, torch.float32) @ scaled(b, b_scale, 128, k, torch.float32).t()).to(torch.bfloat16)


def in_double(a, a_scale, b, b_scale, m, n, k):
    return scaled(a, a_scale, 1, k, torch.float64) @ scaled(b, b_scale, 128, k, torch.float64).t()
