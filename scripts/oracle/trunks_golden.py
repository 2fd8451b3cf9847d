"""What the scripts trunks_vit.py and trunks_regnet.py store of a network.

Per network: a CRC-32 of the state dict's names and shapes and of its initial values under torch.manual_seed(3); then, with
every tensor set by `fill`, the features and the gradients of a sum over all features in training and evaluation mode, computed
in float64.
"""

import contextlib
import math
import zlib

import timm
import torch


@contextlib.contextmanager
def seeded(seed):
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    yield
    torch.set_rng_state(state)


def noise(shape, seed, dtype=torch.float64):
    """Uniform in [-1, 1], from torch's generator."""
    with seeded(seed):
        return (2 * torch.rand(shape, dtype=torch.float64) - 1).to(dtype)


def fill(model):
    """Tensor number k of the state dict becomes noise(shape, k), scaled so that layers keep their input's size."""
    with torch.no_grad():
        for k, (name, t) in enumerate(model.state_dict().items()):
            if t.is_floating_point():
                around = 1.0 if name.endswith("running_var") or (t.dim() == 1 and name.endswith("weight")) else 0.0
                scale = {1: 0.25, 3: 1.0}.get(t.dim()) or math.sqrt(3 / t[0].numel())
                t.copy_(around + scale * noise(t.shape, k))


def summary(t, picks):
    flat = t.detach().double().reshape(-1)
    at = torch.linspace(0, flat.numel() - 1, min(picks, flat.numel())).long()
    return {"shape": list(t.shape), "mean": flat.mean().item(), "square": flat.pow(2).mean().item(), "values": flat[at].tolist()}


def run(model, x, names, training, mask=None):
    """Features, and gradients of sum_j (feature_j * noise(shape, j)) by parameter; "image" is the input's."""
    model.train(training)
    model.zero_grad()
    x = x.clone().requires_grad_()
    features = model(x, names, mask=mask)
    total = sum((f * noise(f.shape, j, f.dtype)).sum() for j, f in enumerate(features.values()))
    total.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return features, {"image": x.grad, **gradients}


def golden(model, image, names, training, mask=None):
    features, gradients = run(model, image, names, training, mask)
    out = {"features": {k: summary(v, 12) for k, v in features.items()}}
    out["gradients"] = {k: summary(v, 4) for k, v in gradients.items()}
    return out


def initial(model):
    state = model.state_dict()
    return {
        "names": zlib.crc32("\n".join(f"{k} {list(v.shape)}" for k, v in state.items()).encode()),
        "count": len(state),
        "crc": zlib.crc32(b"".join(v.numpy().tobytes() for v in state.values())),
    }


def make(kind, options):
    torch.manual_seed(3)
    return kind(**options)


def case(kind, options, names, sides=((32, 32),), modes=(True, False), check=None):
    entry = {"options": options, "names": names, "initial": initial(make(kind, options)), "passes": []}
    for height, width in sides:
        for training in modes:
            model = make(kind, options).double()
            fill(model)
            shape = [4, 3, height, width]
            image = noise(shape, 9)
            if check:
                check(model, image, names, training)
            entry["passes"].append({"image": shape, "training": training, **golden(model, image, names, training)})
    return entry


def same(ours, theirs, what):
    error = (ours - theirs).abs().max().item() / max(1.0, theirs.abs().max().item())
    assert error < 1e-10, f"{what}: differs from timm's by {error}"


def counts(models):
    out = []
    for peer, kind, options, written in models:
        with torch.device("meta"):
            ours = sum(p.numel() for p in kind(**options).parameters())
            if peer:
                theirs = sum(p.numel() for p in timm.create_model(peer, num_classes=0).parameters())
                assert ours == theirs, f"{peer}: {ours} parameters, timm has {theirs}"
        out.append({"options": written, "parameters": ours})
    return out
