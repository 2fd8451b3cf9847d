#!/usr/bin/env python3
"""Reads event files with TensorBoard's own reader and compares what our test logged.

usage: check_events.py [FOLDER]   (default: tests/golden/events, whose bytes the unit tests assert)
"""
import pathlib
import sys
import tempfile

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard.summary import make_histogram
from torch.utils.tensorboard.writer import SummaryWriter

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "events"


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else str(FOLDER)
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0, "tensors": 0, "images": 0})
    events.Reload()
    losses = events.Scalars("Training/Loss")
    assert [e.step for e in losses] == [0, 1, 2, 3, 4]
    assert [e.value for e in losses] == [float(np.float32(1 / (1 + s))) for s in range(5)]
    assert {e.wall_time for e in losses} == {1000.5}

    [histogram] = events.Histograms("Parameters/weight")
    assert histogram.step == -1
    values = np.array([-2.0, 0.0, 1e-13, 0.5, 0.5, 3.0], np.float32).astype(np.float64)
    expected = make_histogram(values, default_bins())
    met = histogram.histogram_value
    assert list(met.bucket_limit) == list(expected.bucket_limit)
    assert list(met.bucket) == list(expected.bucket)
    assert (met.min, met.max, met.num) == (expected.min, expected.max, expected.num)
    assert np.isclose(met.sum, expected.sum, rtol=1e-15) and np.isclose(met.sum_squares, expected.sum_squares, rtol=1e-15)

    [image] = events.Images("views")
    assert (image.step, image.width, image.height) == (4, 1, 1)
    assert image.encoded_image_string.startswith(b"\x89PNG")
    notes = events.Tensors("note")
    assert [(e.step, e.tensor_proto.string_val[0]) for e in notes] == [(s, f"step {s}".encode()) for s in (0, 2, 4)]
    assert events.SummaryMetadata("note").plugin_data.plugin_name == "text"
    print(f"{folder}: TensorBoard reads it")


def default_bins():
    """The bins of SummaryWriter, made by its own code."""
    with tempfile.TemporaryDirectory() as folder:
        writer = SummaryWriter(folder)
        bins = writer.default_bins
        writer.close()
    return bins


if __name__ == "__main__":
    main()
