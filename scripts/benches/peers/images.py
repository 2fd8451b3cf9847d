"""Pictures with about the bytes of photographs."""
import io

import numpy as np
from PIL import Image


def synthetic_jpeg(seed=0, width=500, height=375, quality=97):
    """Soft shapes with grain; 500 x 375 at quality 97 is the median of ImageNet."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    soft = np.asarray(small.resize((width, height), Image.BICUBIC)).astype(np.int16)
    grain = rng.normal(0, 7, (height, width, 1)).astype(np.int16)
    file = io.BytesIO()
    Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality, subsampling=2)
    return file.getvalue()
