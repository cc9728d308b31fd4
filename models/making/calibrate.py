"""Gathers what rounding must know about the inputs of the linear layers: means and Gram matrices.

The float backbone is run picture by picture and nothing but the sums is kept.
"""

from dataclasses import dataclass

import numpy as np

from . import forward, vit

# Layers with inputs of their own; key and value read what query reads.
OBSERVED = ("query", "out", "fc1", "fc2")


@dataclass
class Statistics:
    """Of one layer's inputs over all tokens: mean `[K]` and mean of `x^T x` `[K, K]`."""

    mean: np.ndarray
    gram: np.ndarray

    def variance(self):
        """Variance per channel `[K]`."""
        return np.maximum(np.diag(self.gram) - self.mean**2, 0)

    def moved(self, shift, spread):
        """Statistics of `(x - shift) / spread`."""
        cross = np.outer(self.mean, shift)
        gram = self.gram - cross - cross.T + np.outer(shift, shift)
        return Statistics((self.mean - shift) / spread, gram / np.outer(spread, spread))


def gather(backbone, pictures, progress=lambda done: None):
    """Statistics by (block number, layer name), from picture tensors `[1, 3, H, W]`."""
    sums, grams = {}, {}
    tokens = 0

    def observe(number, layer, x):
        key = number, layer
        sums[key] = sums.get(key, 0) + x.sum(axis=0, dtype=np.float64)
        grams[key] = grams.get(key, 0) + (x.T @ x).astype(np.float64)

    for done, picture in enumerate(pictures, start=1):
        taps = forward.taps(backbone, picture, observe=observe)
        tokens += len(taps["block1.tokens"])
        progress(done)
    keys = [(n, layer) for n in range(1, vit.BLOCKS + 1) for layer in OBSERVED]
    return {key: Statistics(sums[key] / tokens, grams[key] / tokens) for key in keys}
