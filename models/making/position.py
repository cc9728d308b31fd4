"""Resizes the position embedding from its native 37 x 37 grid to another one.

The rule is the one inside the source export: bicubic with a = -0.75, half-pixel centres, the step
taken from the two sizes, edges repeated, no smoothing before shrinking. The original repository
steps by a rounded scale factor instead, which moves tokens by several per cent: do not mix them.
Whoever loads the model for another size must do exactly this.
"""

import numpy as np

from . import vit

CUBIC_A = -0.75


def cubic_weights(offset):
    """Weights `[.., 4]` of the samples at -1, 0, 1, 2 for a point `offset` (0..1) past sample 0."""
    a = CUBIC_A

    def near(distance):
        return ((a + 2) * distance - (a + 3)) * distance * distance + 1

    def far(distance):
        return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a

    return np.stack([far(offset + 1), near(offset), near(1 - offset), far(2 - offset)], axis=-1)


def resize_matrix(inputs, outputs):
    """Matrix `[outputs, inputs]` that resamples one axis."""
    centre = (np.arange(outputs) + 0.5) * (inputs / outputs) - 0.5
    first = np.floor(centre).astype(int)
    weights = cubic_weights(centre - first)
    matrix = np.zeros((outputs, inputs))
    for tap in range(4):
        column = np.clip(first - 1 + tap, 0, inputs - 1)
        np.add.at(matrix, (np.arange(outputs), column), weights[:, tap])
    return matrix


def resize(position, rows, columns):
    """`[1, 1 + 37 * 37, dim]` to `[1, 1 + rows * columns, dim]`; the class token's row is kept."""
    grid = vit.NATIVE_GRID
    if (rows, columns) == (grid, grid):
        return position.astype(np.float32)
    dim = position.shape[-1]
    patches = position[0, 1:].reshape(grid, grid, dim).astype(np.float64)
    down, across = resize_matrix(grid, rows), resize_matrix(grid, columns)
    patches = np.einsum("ri,ijd,cj->rcd", down, patches, across, optimize=True)
    joined = np.concatenate([position[0, :1], patches.reshape(rows * columns, dim)])
    return joined[None].astype(np.float32)
