"""Runs a backbone in NumPy, picture by picture, with every linear layer's input in reach.

It serves calibration, which looks at those inputs, and the emulation of a station whose integer
kernels round activations. It must never be the reference: that is the source graph.
"""

import numpy as np
from scipy.special import erf

from . import position, vit


def float_activations(x):
    """Activations as they are: what an engine does that only stores weights as int8."""
    return x


def u8_per_token(x):
    """Rounds each row to 256 levels between its own least and greatest value (zero included).

    `zero` is a whole number of steps, so that 0 stays exact.
    """
    low = np.minimum(x.min(axis=-1, keepdims=True), 0)
    high = np.maximum(x.max(axis=-1, keepdims=True), 0)
    step = np.maximum((high - low) / 255, np.float32(1e-12))
    zero = np.rint(-low / step)
    return ((np.clip(np.rint(x / step) + zero, 0, 255) - zero) * step).astype(np.float32)


def norm(x, norm_weights):
    """LayerNorm over the last axis of `[tokens, DIM]`."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.mean(centred * centred, axis=-1, keepdims=True)
    unit = centred / np.sqrt(variance + np.float32(vit.NORM_EPSILON))
    return unit * norm_weights.scale.astype(np.float32) + norm_weights.offset.astype(np.float32)


def linear(x, layer, activations=float_activations):
    """`activations(x) @ weight + bias` in float32."""
    return activations(x) @ layer.float_weight() + layer.bias.astype(np.float32)


def attention(query, key, value):
    """Softmax attention per head; all `[tokens, DIM]`."""
    mixed = np.empty_like(query)
    for head in range(vit.HEADS):
        at = slice(head * vit.HEAD_DIM, (head + 1) * vit.HEAD_DIM)
        logits = (query[:, at] * np.float32(vit.ATTENTION_SCALE)) @ key[:, at].T
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        mixed[:, at] = (weights @ value[:, at]) / weights.sum(axis=-1, keepdims=True)
    return mixed


def gelu(x):
    """Exact GELU."""
    return np.float32(0.5) * x * (1 + erf(x * np.float32(0.5**0.5)))


def embed(backbone, image):
    """`[1, 3, H, W]` to the tokens `[1 + patches, DIM]` that enter block 1."""
    side = vit.PATCH
    rows, columns = image.shape[2] // side, image.shape[3] // side
    patches = image[0].reshape(3, rows, side, columns, side).transpose(1, 3, 0, 2, 4)
    weight = backbone.patch_weight.reshape(vit.DIM, -1).T
    tokens = patches.reshape(rows * columns, -1) @ weight + backbone.patch_bias
    tokens = np.concatenate([backbone.class_token[0], tokens])
    return tokens + position.resize(backbone.position, rows, columns)[0]


def ignore(number, layer, x):
    """The observer that does nothing."""


def taps(backbone, image, activations=float_activations, observe=ignore):
    """All taps of a picture: name -> `[tokens, DIM]`.

    `observe(block number, layer name, input)` sees the input of each linear layer; query stands
    for key and value too.
    """
    found = {}
    x = embed(backbone, image)
    for number, block in enumerate(backbone.blocks, start=1):
        y = norm(x, block.norm1)
        observe(number, "query", y)
        parts = [linear(y, getattr(block, p), activations) for p in ("query", "key", "value")]
        y = attention(*parts)
        observe(number, "out", y)
        x = x + linear(y, block.out, activations)
        y = norm(x, block.norm2)
        observe(number, "fc1", y)
        y = gelu(linear(y, block.fc1, activations))
        observe(number, "fc2", y)
        x = x + linear(y, block.fc2, activations)
        found.update(zip((f"block{number}.{t}" for t in vit.TAPS), (*parts, x)))
    return found
