"""Golden values of the learning-rate schedules: fvcore's formulas and VISSL's auto_lr_scaling, restated.

Writes tests/golden/lr_schedules.txt, one block per case:
    case NAME            the component
    epochs N
    toml LINE            a line of its config, may repeat
    rescale FACTOR RAMP  optional; RAMP may be nan
    at WHERE VALUE       17 significant digits
and tests/golden/lr_scale.txt, one line per set-up:
    BASE_VALUE BASE_BATCH LAW BATCH_PER_RANK RANKS_PER_NODE NODES FACTOR RAMP
Usage: python scripts/oracle/lr_schedules.py
"""
import bisect
import math
import pathlib

EPSILON = 1e-6


def constant(value):
    return lambda w: value


def linear(start, end):
    return lambda w: end * w + start * (1 - w)


def cosine(start, end):
    return lambda w: end + 0.5 * (start - end) * (1 + math.cos(math.pi * w))


def step(values):
    return lambda w: values[min(int((w + EPSILON) * len(values)), len(values) - 1)]


def multistep(values, milestones, epochs):
    if milestones is None:
        size = math.ceil(epochs / len(values))
        milestones = [size * i for i in range(1, len(values))]
    return lambda w: values[bisect.bisect_right(milestones, int((w + EPSILON) * epochs))]


def composite(children, lengths, scaling):
    lengths = list(lengths)
    lengths[-1] -= sum(lengths) - 1.0

    def value(w):
        i, total = 0, lengths[0]
        while w + EPSILON > total and i < len(children) - 1:
            i += 1
            total += lengths[i]
        if scaling[i] == "rescaled":
            w = (w - (total - lengths[i])) / lengths[i]
        return children[i](w)

    return value


def scaled_stages(values, scaled):
    gamma = round(values[1] / values[0], 6) if len(values) > 1 else 1.0
    return [round(scaled * pow(gamma, i), 8) for i in range(len(values))]


WHERES = [i / 40 for i in range(40)] + [0.1 - 5e-7, 0.3 - 5e-7, 0.5 - 2e-6, 1 / 3, 2 / 3 - 1e-7, 0.9999999]
CASES = []


def case(name, function, toml, epochs=90, rescale=None):
    CASES.append((name, function, toml, epochs, rescale))


case("constant", constant(0.1), [])
case("constant", constant(0.3), ["value = 0.3"])
case("constant", constant(0.2 * 16), ["value = 0.3", "auto_lr_scaling = { base_value = 0.2 }"], rescale=(16.0, 0.2))
case("linear", linear(0.1, 0.0), [])
case("linear", linear(0.6, 4.8), ["start_value = 0.6", "end_value = 4.8"])
case("linear", linear(0.6, 0.3 * 8), ["start_value = 0.6", "end_value = 4.8", "auto_lr_scaling = { base_value = 0.3 }"],
     rescale=(8.0, 0.3))
case("cosine", cosine(0.1, 0.0), [])
case("cosine", cosine(4.8, 0.0048), ["start_value = 4.8", "end_value = 0.0048"])
case("cosine", cosine(0.3 * 4, 0.3 * 4 * 0.0048 / 4.8),
     ["start_value = 4.8", "end_value = 0.0048", "auto_lr_scaling = { base_value = 0.3 }"], rescale=(4.0, 0.3))
case("step", step([0.1, 0.01, 0.001]), [])
case("step", step([1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01]), ["values = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01]"])
case("step", step(scaled_stages([1.0, 0.3, 0.2], 0.1 * 3)), ["values = [1.0, 0.3, 0.2]"], rescale=(3.0, 0.1))
case("multistep", multistep([0.1, 0.01, 0.001], [30, 60], 90), ["milestones = [30, 60]"])
case("multistep", multistep([0.1, 0.01, 0.001], [1, 99], 100), ["milestones = [1, 99]"], epochs=100)
case("multistep", multistep([0.1, 0.01, 0.001], None, 10), [], epochs=10)
case("multistep", multistep([7.0], [], 3), ["values = [7.0]", "milestones = []"], epochs=3)
case("multistep", multistep(scaled_stages([0.8, 0.08, 0.008], 0.1 * 1.7), [8, 16], 28),
     ["values = [0.8, 0.08, 0.008]", "milestones = [8, 16]"], epochs=28, rescale=(1.7, 0.1))

WARM_UP = ['schedulers = [{ name = "linear", start_value = 0.6, end_value = 4.8 }, '
           '{ name = "cosine", start_value = 4.8, end_value = 0.0048 }]', "lengths = [0.1, 0.9]"]
case("composite", composite([linear(0.6, 4.8), cosine(4.8, 0.0048)], [0.1, 0.9], ["rescaled"] * 2), WARM_UP)
case("composite", composite([linear(0.6, 4.8), cosine(4.8, 0.0048)], [0.1, 0.9], ["rescaled", "fixed"]),
     WARM_UP + ['interval_scaling = ["rescaled", "fixed"]'])
case("composite", composite([linear(0.6, 4.8), cosine(4.8, 0.0048)], [0.1, 0.8995], ["rescaled"] * 2),
     [WARM_UP[0], "lengths = [0.1, 0.8995]"])
SCALED = WARM_UP + ["auto_lr_scaling = { base_value = 0.3 }"]
TARGET = 0.3 * 32
case("composite", composite([linear(0.6, TARGET), cosine(TARGET, TARGET * 0.0048 / 4.8)], [0.1, 0.9], ["rescaled"] * 2),
     SCALED, rescale=(32.0, 0.6))
case("composite", cosine(TARGET, TARGET * 0.0048 / 4.8), SCALED, rescale=(32.0, math.nan))
THREE = ['schedulers = [{ name = "linear", start_value = 0.0, end_value = 1.0 }, '
         '{ name = "constant", value = 1.0 }, { name = "linear", start_value = 1.0, end_value = 0.2 }]',
         "lengths = [0.25, 0.5, 0.25]"]
case("composite", composite([linear(0.0, 1.0), constant(1.0), linear(1.0, 0.2)], [0.25, 0.5, 0.25], ["rescaled"] * 3),
     THREE)


# VISSL's inference for a composite with a linear child: the scaled value, and the warm-up's start or None.
def infer(base_value, base_batch, law, per_rank, per_node, nodes):
    factor = per_rank * per_node * nodes / base_batch
    if law == "sqrt":
        factor = factor ** 0.5
    end_value = base_value * factor
    start_value = base_value * (per_rank * per_node) / base_batch
    if nodes == 1 and start_value <= end_value:
        start_value = None
    return factor, start_value


SETUPS = [(base, batch, law, per_rank, per_node, nodes)
          for base, batch in ((0.3, 256), (0.1, 1024), (1.7, 100)) for law in ("linear", "sqrt")
          for per_rank, per_node, nodes in ((32, 1, 1), (32, 8, 1), (64, 8, 4), (256, 8, 1), (33, 3, 2), (1, 1, 16))]


def write_scales(path):
    lines = ["# made by scripts/oracle/lr_schedules.py"]
    for setup in SETUPS:
        factor, start = infer(*setup)
        lines.append(" ".join(str(x) for x in setup) + f" {factor!r} {'nan' if start is None else repr(start)}")
    path.write_text("\n".join(lines) + "\n")


def main():
    lines = ["# made by scripts/oracle/lr_schedules.py"]
    for name, function, toml, epochs, rescale in CASES:
        lines += [f"case {name}", f"epochs {epochs}"] + [f"toml {line}" for line in toml]
        if rescale:
            lines.append(f"rescale {rescale[0]!r} {rescale[1]!r}")
        lines += [f"at {w!r} {function(w)!r}" for w in WHERES]
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/lr_schedules.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    write_scales(path.with_name("lr_scale.txt"))


if __name__ == "__main__":
    main()
