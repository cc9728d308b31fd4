"""Rounds one weight matrix `[K, N]` to whole steps of one scale per output channel.

Mathematics only: nothing here knows about networks or pictures.
"""

import numpy as np

# Symmetric: -128 is left unused, so that a sign flip cannot overflow.
LARGEST = 127
# Share of the mean diagonal that is added before the Gram matrix is inverted.
DAMPING = 0.01
# Columns per step of `compensated`; it changes speed only.
BATCH = 64


def widest_scale(weight):
    """The scale at which the largest weight of each output channel is the largest step."""
    return np.maximum(np.abs(weight).max(axis=0) / LARGEST, 1e-9)


def nearest(weight, scale):
    """Each weight to its nearest step."""
    return np.clip(np.rint(weight / scale), -LARGEST, LARGEST)


def searched_scale(weight, energy):
    """The scale per output channel with the least squared error, weighted by input energy `[K]`.

    Clipping a few large weights is often worth a finer step for all others.
    """
    widest = widest_scale(weight)
    best, least = widest, np.full(widest.shape, np.inf)
    for ratio in np.linspace(1, 0.75, 11):
        scale = widest * ratio
        error = energy @ (weight - nearest(weight, scale) * scale) ** 2
        best = np.where(error < least, scale, best)
        least = np.minimum(error, least)
    return best


def damped(gram):
    """A Gram matrix with enough on its diagonal to be inverted."""
    return gram + np.eye(len(gram)) * (np.diag(gram).mean() * DAMPING)


def compensated(weight, scale, gram):
    """Rounds input channel by input channel; later ones make up for the errors of earlier ones.

    Frantar et al., "GPTQ", 2022, algorithm 1, in the order of falling input energy. `gram` is the
    mean of `x^T x` over the inputs, `[K, K]`.
    """
    order = np.argsort(-np.diag(gram), kind="stable")
    left = weight[order].astype(np.float64)
    # Upper triangle U with U^T U = inverse of the Gram matrix.
    inverse = np.linalg.inv(damped(gram)[np.ix_(order, order)])
    upper = np.linalg.cholesky(inverse).T
    steps = np.empty_like(left)
    for start in range(0, len(left), BATCH):
        end = min(start + BATCH, len(left))
        errors = np.empty((end - start, left.shape[1]))
        for row in range(start, end):
            steps[row] = nearest(left[row], scale)
            errors[row - start] = (left[row] - steps[row] * scale) / upper[row, row]
            left[row + 1 : end] -= np.outer(upper[row, row + 1 : end], errors[row - start])
        left[end:] -= upper[start:end, end:].T @ errors
    original = np.empty_like(steps)
    original[order] = steps
    return original
