"""Pictures to calibrate on and pictures to check on, as normalised tensors.

Calibration uses only pictures that ship inside two pinned Python packages, each checked by sha256,
so that anyone can repeat it. The check uses pictures that calibration never saw.
"""

import importlib.util
import io
from pathlib import Path

import numpy as np
from PIL import Image

from . import source

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

SKIMAGE, SKLEARN = ("skimage", "data"), ("sklearn", "datasets/images")
# Textures, parts, print, tissue, line art, people, machines, streets: no set that stations are
# judged on is among them.
CALIBRATION = (
    (SKIMAGE, "astronaut.png", "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
    (SKIMAGE, "brick.png", "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf"),
    (SKIMAGE, "camera.png", "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a"),
    (SKIMAGE, "cell.png", "8d23a7fb81f7cc877cd09f330357fc7f595651306e84e17252f6e0a1b3f61515"),
    (SKIMAGE, "chelsea.png", "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"),
    (
        SKIMAGE,
        "chessboard_GRAY.png",
        "3e51870774515af4d07d820bd8827364c70839bf9b573c746e485095e893df90",
    ),
    (SKIMAGE, "coffee.png", "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
    (SKIMAGE, "coins.png", "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba"),
    (SKIMAGE, "color.png", "7d2df993de2b4fa2a78e04e5df8050f49a9c511aa75e59ab3bd56ac9c98aef7e"),
    (SKIMAGE, "grass.png", "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89"),
    (SKIMAGE, "gravel.png", "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12"),
    (SKIMAGE, "horse.png", "c7fb60789fe394c485f842291ea3b21e50d140f39d6dcb5fb9917cc178225455"),
    (
        SKIMAGE,
        "hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
    ),
    (SKIMAGE, "ihc.png", "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef"),
    (SKIMAGE, "moon.png", "78739619d11f7eb9c165bb5d2efd4772cee557812ec847532dbb1d92ef71f577"),
    (
        SKIMAGE,
        "motorcycle_left.png",
        "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    ),
    (SKIMAGE, "page.png", "341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3"),
    (SKIMAGE, "phantom.png", "552ff698167aa402cceb17981130607a228a0a0aa7c519299eaa4d5f301ba36c"),
    (SKIMAGE, "text.png", "bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1"),
    (SKLEARN, "china.jpg", "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29"),
)
# Kept out of calibration, for the check.
HELD_OUT = (
    (
        SKIMAGE,
        "clock_motion.png",
        "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
    ),
    (SKIMAGE, "retina.jpg", "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6"),
    (SKIMAGE, "rocket.jpg", "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"),
    (SKLEARN, "flower.jpg", "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638"),
)
FOLDER_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff"}


def tensor(picture, height, width):
    """A Pillow image to the network's input `[1, 3, height, width]`, resized without cropping."""
    resized = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    values = np.asarray(resized, np.float32) / np.float32(255)
    values = (values - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def open_packaged(entry):
    """Opens one pinned picture out of an installed package."""
    (package, folder), name, digest = entry
    root = Path(importlib.util.find_spec(package).origin).parent
    data = (root / folder / name).read_bytes()
    source.verify(data, digest, f"{package}/{folder}/{name}")
    return Image.open(io.BytesIO(data))


def centre(picture, side):
    """The central square of at most `side` pixels."""
    side = min(side, *picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def calibration():
    """The calibration tensors: of each picture the whole and its centre at 224 px, and for every
    second one a larger centre at 448 px, because token statistics shift with the grid."""
    tensors = []
    for index, entry in enumerate(CALIBRATION):
        picture = open_packaged(entry)
        tensors.append(tensor(picture, 224, 224))
        tensors.append(tensor(centre(picture, 224), 224, 224))
        if index % 2 == 0:
            tensors.append(tensor(centre(picture, 448), 448, 448))
    return tensors


def spread(items, count):
    """`count` items evenly spread over a list."""
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(min(count, len(items)))]


def held_out():
    """Name and picture of each packaged picture that calibration never saw."""
    return [(entry[1], open_packaged(entry)) for entry in HELD_OUT]


def from_folder(folder, count):
    """Name and picture of `count` files below a folder, the same number from each subfolder that
    holds pictures, evenly spread over its sorted names. Folders named `masks` are left out."""
    files = sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in FOLDER_SUFFIXES and path.parent.name != "masks"
    )
    groups = {}
    for path in files:
        groups.setdefault(path.parent, []).append(path)
    share = -(-count // max(len(groups), 1))
    chosen = [p for group in groups.values() for p in spread(group, share)]
    return [(p.relative_to(folder).as_posix(), Image.open(p)) for p in spread(chosen, count)]
