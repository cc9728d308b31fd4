"""The weights of one vision transformer as plain arrays, float or int8.

This room holds values only: it must never read a file or know where the weights came from.
Blocks are held in a list and are 1-based wherever they have a name (`block1` is `blocks[0]`).
"""

from dataclasses import dataclass

import numpy as np

PATCH = 14
DIM = 384
HEADS = 6
HEAD_DIM = DIM // HEADS
BLOCKS = 12
NATIVE_GRID = 37
NORM_EPSILON = 1e-6
# 1 / sqrt(head dimension), the usual attention scale.
ATTENTION_SCALE = HEAD_DIM**-0.5

# Linear layers of a block in the order in which they are run. The first three share an input.
LINEARS = ("query", "key", "value", "out", "fc1", "fc2")
# What a block shows to the outside, in the order of the graph outputs.
TAPS = ("query", "key", "value", "tokens")


def tap_names():
    """Names of all graph outputs, block by block."""
    return [f"block{b}.{t}" for b in range(1, BLOCKS + 1) for t in TAPS]


@dataclass
class Norm:
    """LayerNorm over the last axis: `scale` and `offset` are `[DIM]`."""

    scale: np.ndarray
    offset: np.ndarray


@dataclass
class Linear:
    """`x @ weight + bias`, float: weight `[K, N]`, bias `[N]`."""

    weight: np.ndarray
    bias: np.ndarray

    def float_weight(self):
        """The weight as float32 `[K, N]`."""
        return self.weight.astype(np.float32)


@dataclass
class Int8Linear:
    """`x @ (steps * scale) + bias`: int8 steps `[K, N]`, one scale per output channel `[N]`."""

    steps: np.ndarray
    scale: np.ndarray
    bias: np.ndarray

    def float_weight(self):
        """The weight as float32 `[K, N]`, exactly as an ONNX `DequantizeLinear` gives it."""
        return self.steps.astype(np.float32) * self.scale.astype(np.float32)


@dataclass
class Block:
    """One transformer block; layer scale is already part of `out` and `fc2`."""

    norm1: Norm
    norm2: Norm
    query: Linear
    key: Linear
    value: Linear
    out: Linear
    fc1: Linear
    fc2: Linear


@dataclass
class Backbone:
    """The network without its last LayerNorm, which no tap needs.

    `patch_weight` is `[DIM, 3, 14, 14]`, `class_token` `[1, 1, DIM]`, `position` is
    `[1, 1 + 37 * 37, DIM]` with the class token's row first.
    """

    patch_weight: np.ndarray
    patch_bias: np.ndarray
    class_token: np.ndarray
    position: np.ndarray
    blocks: list
