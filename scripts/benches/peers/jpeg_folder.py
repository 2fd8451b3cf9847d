"""usage: jpeg_folder.py FOLDER COUNT: fills FOLDER/class_0 … with COUNT pictures, unless it is full."""
import pathlib
import sys

from images import synthetic_jpeg

folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
for i in range(count):
    file = folder / f"class_{i % 4}" / f"{i:05}.jpg"
    if file.exists():
        continue
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_bytes(synthetic_jpeg(i))
    partial.rename(file)
