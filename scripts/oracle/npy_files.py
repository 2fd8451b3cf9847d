#!/usr/bin/env python3
"""Makes tests/golden/npy/ with numpy, and checks that numpy reads the files there that our writer made."""
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "npy"


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    counted = np.arange(24).reshape(2, 3, 4)
    for code in ("b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"):
        np.save(FOLDER / f"{code}.npy", (counted % 2 if code == "b1" else counted).astype(code))
    np.save(FOLDER / "fortran.npy", np.asfortranarray(counted.astype("f4")))
    np.save(FOLDER / "big_endian.npy", counted.astype(">f4"))
    np.save(FOLDER / "scalar.npy", np.float32(7))
    np.save(FOLDER / "empty.npy", np.zeros((0, 5), "f4"))
    np.save(FOLDER / "text.npy", np.array(["a", "b"]))
    np.save(FOLDER / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with open(FOLDER / "version2.npy", "wb") as file:
        np.lib.format.write_array(file, counted.astype("f4"), version=(2, 0))
    for file in sorted(FOLDER.glob("ours_*.npy")):
        array = np.load(file)
        if file.stem == "ours_counted":
            assert array.dtype == np.float32 and np.array_equal(array, counted.astype("f4"))
        elif file.stem == "ours_vector":
            assert array.dtype == np.uint8 and array.tolist() == [1, 2, 3]
        elif file.stem == "ours_scalar":
            assert array.shape == () and array == 9 and array.dtype == np.int64
        else:
            raise AssertionError(f"unknown file {file}")
        print(f"{file.name}: numpy {np.__version__} reads it")


if __name__ == "__main__":
    main()
