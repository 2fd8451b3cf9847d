"""Golden modules of the SDK's nn:: layer: torch's, with torch's initial values under torch.manual_seed(5).

    python scripts/oracle/nn_modules.py      # writes tests/golden/components/nn_modules.json
"""

import torch
from torch import nn
import torch.nn.functional as F

from component_data import numbers, wave, write


def norm(module, x):
    """Initial values, and the output and the gradients with weights that are not 1 and 0."""
    initial = {k: numbers(v) for k, v in module.state_dict().items()}
    with torch.no_grad():
        module.weight.copy_(wave(module.weight.shape, 1.0))
        module.bias.copy_(wave(module.bias.shape, 2.0))
    y = module(x)
    (y * wave(y.shape, 3.0)).sum().backward()
    return {"initial": initial, "output": numbers(y), "weight_grad": numbers(module.weight.grad), "bias_grad": numbers(module.bias.grad)}


def embedding():
    torch.manual_seed(5)
    module = nn.Embedding(7, 4)
    return {"weight": numbers(module.weight), "output": numbers(module(torch.tensor([[0, 3], [6, 1]])))}


def attention():
    """ViT's self-attention of 2 heads on (2, 3, 8); both weights are normal with deviation 0.5, biases 0."""
    torch.manual_seed(5)
    qkv, proj = torch.empty(24, 8).normal_(0, 0.5), torch.empty(8, 8).normal_(0, 0.5)
    x = wave([2, 3, 8], 0.4)
    q, k, v = F.linear(x, qkv).reshape(2, 3, 3, 2, 4).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 3, 8)
    scaled = F.scaled_dot_product_attention(q, k, v, scale=0.1).transpose(1, 2).reshape(2, 3, 8)
    return {"qkv": numbers(qkv), "proj": numbers(proj), "output": numbers(F.linear(mixed, proj)), "scaled": numbers(F.linear(scaled, proj))}


def drop_path():
    torch.manual_seed(5)
    x, keep = wave([8, 2, 3], 0.6), 0.7
    return {"output": numbers(x.div(keep) * (keep + torch.rand(8, 1, 1)).floor())}


if __name__ == "__main__":
    write("nn_modules.json", {
        "layer_norm": norm(nn.LayerNorm(6), wave([2, 3, 6], 0.3)),
        "group_norm": norm(nn.GroupNorm(3, 6), wave([2, 6, 4, 4], 0.3)),
        "embedding": embedding(),
        "attention": attention(),
        "drop_path": drop_path(),
    })
