#!/usr/bin/env python3
"""Reads with numpy the files of tests/golden/npy/ that our writer made, whose bytes the unit tests assert."""
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "npy"


def main():
    files = sorted(FOLDER.glob("ours_*.npy"))
    assert files, "no file to check"
    counted = np.arange(24, dtype="f4").reshape(2, 3, 4)
    for file in files:
        array = np.load(file)
        if file.stem == "ours_counted":
            assert array.dtype == np.float32 and np.array_equal(array, counted)
        elif file.stem == "ours_vector":
            assert array.dtype == np.uint8 and array.tolist() == [1, 2, 3]
        elif file.stem == "ours_scalar":
            assert array.shape == () and array == 9 and array.dtype == np.int64
        else:
            raise AssertionError(f"unknown file {file}")
        print(f"{file.name}: numpy {np.__version__} reads it")


if __name__ == "__main__":
    main()
