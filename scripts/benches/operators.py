"""What the operator table costs beside a direct call of the same operator in the same process."""
from .harness import Measure


def run(bench, name):
    command = bench.program("operator_bench", 2000 if bench.small else 200000)
    lines = {}

    def side(key):
        def measure():
            if key == "ours":
                lines["last"] = bench.json_child(command)[0]
            return Measure(lines["last"][name.removeprefix("operator_") + ("_table_ns" if key == "ours" else "_direct_ns")])

        return measure

    bench.paired(name, "ns", "lower", side("ours"), side("peer"), {"ours": command, "peer": command})


FIGURES = {"operator_add": run, "operator_view": run, "operator_linear_backward": run}
