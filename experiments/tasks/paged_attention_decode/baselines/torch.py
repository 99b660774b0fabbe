"""Pages gathered into one tensor, and PyTorch's attention with a mask of the lengths."""

import torch
import torch.nn.functional as F


def baseline(q, k_cache, v_cache, table, lengths, scale, batch, heads, kv_heads, pages, slots):
    d = q.shape[-1]
    chosen = table.long()
    keys = k_cache[chosen].reshape(batch, -1, kv_heads, d).transpose(1, 2)
    values = v_cache[chosen].reshape(batch, -1, kv_heads, d).transpose(1, 2)
    position = torch.arange(keys.shape[2], device=q.device)
    mask = (position < lengths.unsqueeze(1))[:, None, None, :]
    out = F.scaled_dot_product_attention(q.unsqueeze(2), keys, values, attn_mask=mask, scale=scale, enable_gqa=True)
    return out.squeeze(2)
