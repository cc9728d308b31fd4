//! Resizing the position embedding to another grid, as DINOv2 does it: bicubic with a = -0.75,
//! half-pixel centres, no anti-aliasing, edges clamped.
//!
//! The export of this checkpoint resizes by the ratio of the sizes, not by the scale factor plus
//! 0.1 of the original repository; the two differ by 4-7 % and only the former matches the file.

use super::Grid;

const A: f32 = -0.75;

/// Cubic convolution weights (Keys 1981) of the four neighbours at -1, 0, 1, 2 for a fraction
/// `t` in `[0, 1)`.
fn cubic_weights(t: f32) -> [f32; 4] {
    let inner = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let outer = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [outer(t + 1.0), inner(t), inner(1.0 - t), outer(2.0 - t)]
}

/// Source indices and weights for each of `to` samples along an axis of `from` samples.
fn axis(from: usize, to: usize) -> Vec<[(usize, f32); 4]> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|i| {
            let centre = (i as f32 + 0.5) * scale - 0.5;
            let base = centre.floor();
            let weights = cubic_weights(centre - base);
            std::array::from_fn(|k| {
                let index = base as isize + k as isize - 1;
                (index.clamp(0, from as isize - 1) as usize, weights[k])
            })
        })
        .collect()
}

/// Resizes `table`, `[class_tokens + from.patches(), dim]` row-major, to the grid `to`. Rows of
/// class tokens are copied.
pub(super) fn resize(
    table: &[f32],
    class_tokens: usize,
    dim: usize,
    from: Grid,
    to: Grid,
) -> Vec<f32> {
    let (class, patches) = table.split_at(class_tokens * dim);
    let mut out = Vec::with_capacity((class_tokens + to.patches()) * dim);
    out.extend_from_slice(class);
    if from == to {
        out.extend_from_slice(patches);
        return out;
    }
    let (by_row, by_col) = (axis(from.rows, to.rows), axis(from.cols, to.cols));
    for row in &by_row {
        for col in &by_col {
            let start = out.len();
            out.resize(start + dim, 0.0);
            for (r, wr) in row {
                for (c, wc) in col {
                    let source = &patches[(r * from.cols + c) * dim..][..dim];
                    for (sum, value) in out[start..].iter_mut().zip(source) {
                        *sum += wr * wc * value;
                    }
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn grid(rows: usize, cols: usize) -> Grid {
        Grid { rows, cols }
    }

    #[test]
    fn weights_sum_to_one_and_interpolate_the_samples() {
        for step in 0..16 {
            let weights = cubic_weights(step as f32 / 16.0);
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        assert_eq!(cubic_weights(0.0), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_native_grid_is_returned_unchanged() {
        let table: Vec<f32> = (0..2 * (1 + 9)).map(|v| v as f32).collect();
        assert_eq!(resize(&table, 1, 2, grid(3, 3), grid(3, 3)), table);
    }

    #[test]
    fn a_constant_table_stays_constant_on_any_grid() {
        let table = vec![2.5; 1 + 37 * 37];
        for to in [grid(16, 16), grid(32, 32), grid(20, 32), grid(1, 64)] {
            let out = resize(&table, 1, 1, grid(37, 37), to);
            assert_eq!(out.len(), 1 + to.patches());
            assert!(out.iter().all(|v| (v - 2.5).abs() < 1e-5));
        }
    }

    #[test]
    fn a_ramp_is_resized_as_the_cubic_kernel_says() {
        // Centres fall on 0.5 and 2.5: weights -3/32, 19/32, 19/32, -3/32 with clamped edges,
        // so one axis of 0..3 becomes 0.40625 and 2.59375.
        let table: Vec<f32> = (0..16).map(|v| v as f32).collect();
        let out = resize(&table, 0, 1, grid(4, 4), grid(2, 2));
        for (got, expected) in out.iter().zip([2.03125, 4.21875, 10.78125, 12.96875]) {
            assert!((got - expected).abs() < 1e-5, "{out:?}");
        }
    }
}
