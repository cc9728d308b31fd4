"""Tests of the mathematics of the model maker: `python -m unittest discover models`."""

import unittest

import numpy as np

from making import calibrate, forward, position, quantise, rounding, vit


def random_layer(rng, outputs=32):
    return vit.Linear(rng.normal(size=(vit.DIM, outputs)), rng.normal(size=outputs))


class Rounding(unittest.TestCase):
    def test_compensation_lowers_the_output_error_on_correlated_inputs(self):
        rng = np.random.default_rng(1)
        inputs = rng.normal(size=(2000, 8)) @ rng.normal(size=(8, 64))
        inputs += 0.1 * rng.normal(size=inputs.shape)
        weight = rng.normal(size=(64, 16))
        scale = rounding.widest_scale(weight)
        steps = rounding.compensated(weight, scale, inputs.T @ inputs / len(inputs))
        plain = np.linalg.norm(inputs @ (weight - rounding.nearest(weight, scale) * scale))
        better = np.linalg.norm(inputs @ (weight - steps * scale))
        self.assertLess(better, 0.7 * plain)
        self.assertTrue(np.all(np.abs(steps) <= rounding.LARGEST))
        self.assertTrue(np.all(steps == np.rint(steps)))

    def test_searched_scale_is_never_worse_than_the_widest(self):
        rng = np.random.default_rng(2)
        weight = rng.standard_t(3, size=(100, 20))
        energy = rng.uniform(0.1, 2, size=100)

        def error(scale):
            return energy @ (weight - rounding.nearest(weight, scale) * scale) ** 2

        widest = error(rounding.widest_scale(weight))
        self.assertTrue(np.all(error(rounding.searched_scale(weight, energy)) <= widest))


class Fold(unittest.TestCase):
    def test_shift_and_smoothing_do_not_change_the_float_result(self):
        rng = np.random.default_rng(3)
        norm = vit.Norm(rng.uniform(0.1, 3, vit.DIM), rng.normal(size=vit.DIM))
        layers = [random_layer(rng), random_layer(rng)]
        x = rng.normal(size=(50, vit.DIM))
        seen = forward.norm(x, norm).astype(np.float64)
        statistics = calibrate.Statistics(seen.mean(axis=0), seen.T @ seen / len(seen))
        folded, moved, after = quantise.fold(norm, layers, statistics, quantise.SHIPPED)
        y = forward.norm(x, folded)
        for before, layer in zip(layers, moved):
            expected = seen @ before.weight + before.bias
            np.testing.assert_allclose(y @ layer.weight + layer.bias, expected, atol=1e-4)
        np.testing.assert_allclose(after.mean, y.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(after.gram, y.T @ y / len(y), atol=1e-5)


class Position(unittest.TestCase):
    def test_a_constant_table_stays_constant_at_any_grid(self):
        table = np.full((1, 1 + vit.NATIVE_GRID**2, 4), 2.5, np.float32)
        resized = position.resize(table, 5, 61)
        self.assertEqual(resized.shape, (1, 1 + 5 * 61, 4))
        np.testing.assert_allclose(resized, 2.5, rtol=1e-6)

    def test_rows_and_columns_are_not_swapped(self):
        grid = vit.NATIVE_GRID
        ramp = np.repeat(np.arange(grid, dtype=np.float32), grid)
        table = np.concatenate([[0], ramp]).reshape(1, -1, 1).astype(np.float32)
        resized = position.resize(table, 10, 3)[0, 1:, 0].reshape(10, 3)
        self.assertTrue(np.all(np.diff(resized, axis=0) > 0))
        np.testing.assert_allclose(np.ptp(resized, axis=1), 0, atol=1e-5)


class Activations(unittest.TestCase):
    def test_u8_per_token_is_within_half_a_step_and_keeps_zero(self):
        rng = np.random.default_rng(4)
        x = rng.normal(size=(20, 64)).astype(np.float32)
        x[:, 7] = 0
        rounded = forward.u8_per_token(x)
        step = (x.max(axis=1) - x.min(axis=1)) / 255
        # The whole-number zero point may clip an end of the range by another half step.
        self.assertTrue(np.all(np.abs(rounded - x) <= 1.01 * step[:, None]))
        self.assertTrue(np.all(rounded[:, 7] == 0))


if __name__ == "__main__":
    unittest.main()
