"""Keeps torch's own source text out of golden files. For every Python from 2.7 and every torch from 1.0."""
import zipfile

import torch


def without_source(path):
    """Leaves of a program's text the declarations of its classes: the rest is torch's own source."""
    with zipfile.ZipFile(path) as source:
        entries = [(info.filename, source.read(info)) for info in source.infolist()]
    with zipfile.ZipFile(path, "w") as target:
        for name, data in entries:
            if name.endswith(".debug_pkl"):
                continue
            if name.endswith(".py"):
                lines = data.decode().splitlines()
                kept = [line for line in lines if line.lstrip().startswith(("class ", "__parameters__", "__buffers__"))]
                data = "\n".join(kept).encode()
            target.writestr(zipfile.ZipInfo(name), data)


class StandIn(object):
    """What release 1.0 asks of `inspect`."""
    @staticmethod
    def getsourcefile(_):
        return "module.py"

    @staticmethod
    def getsource(_):
        return "source text of the class\n"


def with_stand_in_source():
    """A module in the stream before release 1.6 has the source of its classes; from now on another text stands for it."""
    if hasattr(torch.serialization, "get_source_lines_and_file"):
        torch.serialization.get_source_lines_and_file = lambda *_: ([StandIn.getsource(_)], 1, StandIn.getsourcefile(_))
    else:
        torch.serialization.inspect = StandIn
