"""Golden heads: VISSL's modules under torch.manual_seed(7), their names, and two training steps and one evaluation.

    python scripts/oracle/heads.py      # writes tests/golden/components/heads.json
"""

import torch
from torch import nn
import torch.nn.functional as F

from component_data import numbers, wave, write


class Mlp(nn.Module):
    def __init__(self, dims, use_bn=False, use_relu=False, use_bias=True, skip_last=True, eps=1e-5, momentum=0.1, scale=1.0):
        super().__init__()
        layers = []
        for i in range(1, len(dims)):
            layers.append(nn.Linear(dims[i - 1], dims[i], bias=use_bias))
            if skip_last and i == len(dims) - 1:
                break
            if use_bn:
                layers.append(nn.BatchNorm1d(dims[i], eps=eps, momentum=momentum))
            if use_relu:
                layers.append(nn.ReLU())
        self.clf = nn.Sequential(*layers)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                m.weight.data *= scale
                if m.bias is not None:
                    m.bias.data *= scale

    def forward(self, x):
        return [self.clf(x.reshape(x.shape[0], -1) if x.ndim > 2 else x)]


class EvalMlp(nn.Module):
    def __init__(self, in_channels, dims, **options):
        super().__init__()
        self.channel_bn = nn.BatchNorm2d(in_channels, eps=options.get("eps", 1e-5), momentum=options.get("momentum", 0.1))
        self.clf = Mlp(dims, **options)

    def forward(self, x):
        if x.ndim == 2:
            x = x.unsqueeze(2).unsqueeze(3)
        return self.clf(self.channel_bn(x).flatten(1))


class SwavHead(nn.Module):
    def __init__(self, dims, use_bn, num_clusters, return_embeddings=True, activation=nn.ReLU, weight_norm=False, fixed=False):
        super().__init__()
        layers = []
        for i in range(1, len(dims)):
            layers.append(nn.Linear(dims[i - 1], dims[i]))
            if i == len(dims) - 1:
                break
            if use_bn:
                layers.append(nn.BatchNorm1d(dims[i]))
            layers.append(activation())
        self.projection_head = nn.Sequential(*layers)
        self.count, self.return_embeddings = len(num_clusters), return_embeddings
        for k, clusters in enumerate(num_clusters):
            layer = nn.Linear(dims[-1], clusters, bias=False)
            if weight_norm:
                layer = nn.utils.weight_norm(layer)
                layer.weight_g.data.fill_(1)
                layer.weight_g.requires_grad = not fixed
            setattr(self, f"prototypes{k}", layer)

    def forward(self, x):
        y = F.normalize(self.projection_head(x), dim=1)
        return ([y] if self.return_embeddings else []) + [getattr(self, f"prototypes{k}")(y) for k in range(self.count)]


CASES = {
    "mlp_linear": (lambda: Mlp([6, 3]), [4, 6]),
    "mlp_deep": (lambda: Mlp([6, 8, 5, 3], use_bn=True, use_relu=True, eps=1e-3, momentum=0.3, scale=0.5), [4, 6, 1, 1]),
    "mlp_all": (lambda: Mlp([6, 8, 3], use_bn=True, use_relu=True, use_bias=False, skip_last=False), [4, 6]),
    "eval_mlp": (lambda: EvalMlp(6, [6, 3]), [4, 6]),
    "eval_mlp_map": (lambda: EvalMlp(3, [12, 7, 2], use_bn=True, use_relu=True), [4, 3, 2, 2]),
    "swav": (lambda: SwavHead([6, 8, 4], True, [5, 3]), [4, 6]),
    "swav_plain": (lambda: SwavHead([6, 8, 4], False, [5], return_embeddings=False, activation=nn.GELU), [4, 6]),
    "swav_weight_norm": (lambda: SwavHead([6, 4], False, [5], weight_norm=True, fixed=True), [4, 6]),
}

cases = {}
for name, (make, shape) in CASES.items():
    torch.manual_seed(7)
    head = make()
    initial = {key: numbers(value) for key, value in head.state_dict().items()}
    names = list(head.state_dict())
    frozen = [key for key, p in head.named_parameters() if not p.requires_grad]
    head.train()
    outputs = [[numbers(o) for o in head(wave(shape, float(i)))] for i in range(2)]
    head.eval()
    outputs.append([numbers(o) for o in head(wave(shape, 2.0))])
    buffers = {key: numbers(value) for key, value in head.named_buffers()}
    cases[name] = {"shape": shape, "names": names, "frozen": frozen, "initial": initial, "outputs": outputs, "buffers": buffers}
write("heads.json", cases)
