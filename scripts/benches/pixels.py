"""Single steps of the data path on one core beside Pillow's and torchvision's."""
import json
import shlex

from .harness import BenchError


def run(bench, name):
    program = bench.program("pixel_bench")[0]
    command = bench.peer("pixels", "--bench", program, "--rounds", 1 if bench.small else bench.rounds,
                         "--repeats", 2 if bench.small else 40)
    text, _ = bench.child(command)
    figures = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    if not figures:
        raise BenchError(f"no figure in {text}")
    for figure in figures:
        line = {**figure, "name": f"{name}_{figure['name']}", "commands": {"both": shlex.join(command)}}
        print(json.dumps({**line, "machine": bench.machine()}), flush=True)


FIGURES = {"pixels": run}
