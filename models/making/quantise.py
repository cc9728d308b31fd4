"""Turns a float backbone into an int8 one.

Mean shift and smoothing move differences between channels out of the activations (SmoothQuant,
Xiao et al., 2023; Outlier Suppression+, Wei et al., 2023); they are folded into LayerNorm and are
exact in float. Rounding is then compensated and the bias takes back the mean error that is left.
Fitting each layer to the outputs of the exact network, to undo errors of the layers before it, was
tried and left out: it gained nothing on held-out pictures and lost on inspection pictures.
"""

from dataclasses import dataclass, replace

import numpy as np

from . import rounding, vit

# A channel is taken to reach this many standard deviations, but at least the floor, so that a
# nearly constant channel is not blown up without bound.
REACH, REACH_FLOOR = 4, 0.3


@dataclass(frozen=True)
class Method:
    """Which steps are taken."""

    # Take the mean off each LayerNorm output channel; it moves into the next bias.
    shift: bool = False
    # Share of the differences between channels that moves into the weights; 0 is none.
    smooth: float = 0.0
    # Search the clip ratio, compensate rounding errors, correct the bias.
    compensate: bool = False


# Each adds one step to the one before; the last one is shipped.
STEPS = {
    "plain rounding": Method(),
    "+ shift": Method(shift=True),
    "+ smoothing": Method(shift=True, smooth=0.7),
    "+ compensation": Method(shift=True, smooth=0.7, compensate=True),
}
SHIPPED = STEPS["+ compensation"]


def describe(method):
    """The method in words, for the manifest."""
    return {
        "weights": "int8, symmetric, one scale per output channel, -127 to 127",
        "layers": list(vit.LINEARS),
        "left in float32": ["patch embedding", "position embedding", "LayerNorm", "biases"],
        "mean_shift": method.shift,
        "smoothing_alpha": method.smooth,
        "error_compensated_rounding": method.compensate,
        "damping": rounding.DAMPING,
    }


def fold(norm, linears, statistics, method):
    """Moves channel means and spreads of a LayerNorm's output into the layers that read it.

    `norm(x)` becomes `(norm(x) - shift) / spread` and the layers undo it.
    """
    shift = statistics.mean if method.shift else np.zeros(vit.DIM)
    spread = np.ones(vit.DIM)
    if method.smooth:
        reach = np.maximum(REACH * np.sqrt(statistics.variance()), REACH_FLOOR)
        strength = np.max([np.abs(linear.weight).max(axis=1) for linear in linears], axis=0)
        spread = reach**method.smooth / np.maximum(strength, 1e-6) ** (1 - method.smooth)
        spread /= np.exp(np.log(spread).mean())
    folded = vit.Norm(norm.scale / spread, (norm.offset - shift) / spread)
    moved = [
        vit.Linear(linear.weight * spread[:, None], linear.bias + shift @ linear.weight)
        for linear in linears
    ]
    return folded, moved, statistics.moved(shift, spread)


def quantise_linear(linear, statistics, method):
    """The int8 layer of a float one."""
    weight = linear.weight.astype(np.float64)
    if method.compensate:
        energy = np.diag(statistics.gram)
        scale = rounding.searched_scale(weight, energy).astype(np.float32)
        steps = rounding.compensated(weight, scale, statistics.gram)
        bias = linear.bias + statistics.mean @ (weight - steps * scale)
    else:
        scale = rounding.widest_scale(weight).astype(np.float32)
        steps = rounding.nearest(weight, scale)
        bias = linear.bias
    return vit.Int8Linear(steps.astype(np.int8), scale, bias.astype(np.float32))


def quantise(backbone, statistics, method):
    """The int8 backbone, and the float one with the same folds to check that they are exact."""
    int8_blocks, float_blocks = [], []
    for number, block in enumerate(backbone.blocks, start=1):
        of = {layer: stats for (n, layer), stats in statistics.items() if n == number}
        projections = [block.query, block.key, block.value]
        norm1, projections, seen1 = fold(block.norm1, projections, of["query"], method)
        norm2, (fc1,), seen2 = fold(block.norm2, [block.fc1], of["fc1"], method)
        linears = [*projections, block.out, fc1, block.fc2]
        seen = [seen1] * 3 + [of["out"], seen2, of["fc2"]]
        float_blocks.append(vit.Block(norm1, norm2, *linears))
        rounded = [quantise_linear(*pair, method) for pair in zip(linears, seen)]
        int8_blocks.append(vit.Block(norm1, norm2, *rounded))
    return replace(backbone, blocks=int8_blocks), replace(backbone, blocks=float_blocks)
