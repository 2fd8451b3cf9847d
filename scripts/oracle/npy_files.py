#!/usr/bin/env python3
"""Makes tests/golden/npy/ with numpy. Element i of an array in C order holds i."""
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


if __name__ == "__main__":
    main()
