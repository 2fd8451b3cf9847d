"""Children, rounds and lines: what every figure shares."""
import dataclasses
import json
import os
import pathlib
import platform
import shlex
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

NOISY = 0.4  # (largest - smallest) / median of one side, above which a ratio says nothing


class BenchError(Exception):
    pass


@dataclasses.dataclass
class Measure:
    """One side of one round."""

    value: float
    cpu_s: float = None
    memory_mb: float = None  # peak of the whole process tree, each shared page counted once
    detail: dict = dataclasses.field(default_factory=dict)


class MemoryWatch(threading.Thread):
    """Samples the proportional set size of a process and its children; `peak_mb` is the largest sum."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak_mb, self.over = pid, 0.0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            self.peak_mb = max(self.peak_mb, sum(pss_mb(pid) for pid in tree(self.pid)))


def tree(pid):
    pids = [pid]
    for one in pids:
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                pids += map(int, pathlib.Path(f"/proc/{one}/task/{task}/children").read_text().split())
        except OSError:
            pass
    return pids


def pss_mb(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class Bench:
    def __init__(self, root, build, python, rounds, small):
        self.root, self.build, self.python, self.rounds, self.small = root, build, python, rounds, small
        self.cores = len(os.sched_getaffinity(0))
        self.cache = build / "bench_data"

    def __enter__(self):
        if not (self.build / "vissl-host").exists():
            raise SystemExit(f"bench: {self.build}/vissl-host is missing; scripts/build makes it")
        if not pathlib.Path(self.python).exists():
            raise SystemExit(f"bench: {self.python} is missing; scripts/setup --oracle makes it")
        self.cache.mkdir(exist_ok=True)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=self.build))
        return self

    def __exit__(self, *ignored):
        shutil.rmtree(self.work, ignore_errors=True)

    def host(self, *arguments):
        return [str(self.build / "vissl-host"), "--plugins", str(self.build / "plugins"), *map(str, arguments)]

    def peer(self, script, *arguments):
        return [self.python, str(self.root / "scripts/benches/peers" / f"{script}.py"), *map(str, arguments)]

    def program(self, name, *arguments):
        path = self.build / "bench" / name
        if not path.exists():
            raise BenchError(f"{path} is missing; build it by ninja -C {self.build} {name}")
        return [str(path), *map(str, arguments)]

    def child(self, command, until=None, memory=False):
        """Runs it in the work folder. Returns its output, and a Measure of its seconds: all, or with `until` those to the
        first line (of stdout or stderr) that holds this text, whereupon it is killed."""
        with tempfile.TemporaryFile("w+") as err:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=self.work, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT if until else err,
                start_new_session=True)
            watch = MemoryWatch(process.pid) if memory else None
            if watch:
                watch.start()
            lines, seconds = [], None
            for line in process.stdout:
                lines.append(line)
                if until and until in line:
                    seconds = time.perf_counter() - start
                    os.killpg(process.pid, signal.SIGKILL)
                    break
            process.stdout.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if seconds is None:
                seconds = time.perf_counter() - start
            if watch:
                watch.over.set()
                watch.join()
            text = "".join(lines)
            if process.returncode not in ((-signal.SIGKILL,) if until else (0,)):
                err.seek(0)
                raise BenchError(f"{shlex.join(command)} ended with {process.returncode}:\n{(text + err.read())[-2000:]}")
            cpu = usage.ru_utime + usage.ru_stime
            # A process that ends between two looks at its tree still tells its own peak.
            peak_mb = max(watch.peak_mb, usage.ru_maxrss / 1024) if watch else None
            return text, Measure(seconds, cpu, peak_mb)

    def json_child(self, command, **options):
        text, measure = self.child(command, **options)
        return json.loads(text[text.index("{"):]), measure

    def paired(self, name, unit, better, ours, peer, commands, same=None, digits=4):
        """Runs both sides in turn and prints the figure's line. `ours` and `peer` return a Measure."""
        sides = {"ours": [], "peer": []}
        for _ in range(self.rounds + (0 if self.small else 1)):
            sides["ours"].append(ours())
            sides["peer"].append(peer())
        if not self.small:
            sides = {side: measures[1:] for side, measures in sides.items()}
        rounded = lambda x: float(f"{x:.{digits}g}")
        medians, spread, noisy = {}, {}, False
        for side, measures in sides.items():
            values = [m.value for m in measures]
            medians[side] = statistics.median(values)
            spread[side] = [rounded(min(values)), rounded(max(values))]
            noisy = noisy or max(values) - min(values) > NOISY * medians[side]
        ratios = [a.value / b.value for a, b in zip(sides["ours"], sides["peer"])]
        line = {
            "name": name, "unit": unit, "better": better, "ours": rounded(medians["ours"]), "peer": rounded(medians["peer"]),
            "ratio": None if noisy else rounded(statistics.median(ratios)), "rounds": len(ratios), "spread": spread,
        }
        for key, label in (("cpu_s", "cpu"), ("memory_mb", "memory_mb")):
            both = {side: [getattr(m, key) for m in measures] for side, measures in sides.items()}
            if all(x is not None for side in both.values() for x in side):
                cost = {side: rounded(statistics.median(values)) for side, values in both.items()}
                pairs = [a / b for a, b in zip(both["ours"], both["peer"]) if b]
                cost["ratio"] = rounded(statistics.median(pairs)) if pairs else None
                line[label] = cost
        for side, measures in sides.items():
            if measures[-1].detail:
                line.setdefault("detail", {})[side] = measures[-1].detail
        if same:
            line["same"] = same
        line["commands"] = {side: shlex.join(map(str, command)) for side, command in commands.items()}
        line["machine"] = self.machine()
        print(json.dumps(line, ensure_ascii=False), flush=True)

    def machine(self):
        cpu = next((line.split(": ")[1] for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                    if line.startswith("model name")), platform.processor())
        git = subprocess.run(["git", "-C", str(self.root), "describe", "--always", "--dirty", "--abbrev=10"],
                             capture_output=True, text=True, check=False)
        return {"cpu": cpu, "cores": self.cores, "load": round(os.getloadavg()[0], 1), "commit": git.stdout.strip() or "unknown",
                "small": self.small}
