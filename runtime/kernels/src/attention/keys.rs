//! Keys become the int8 weights of a linear layer: one column a token.

use super::HEAD_WIDTH;
use crate::PackedWeights;
use crate::math::{max, round_to_i32};
use crate::multiversion::multiversion;
use crate::quantise::SMALLEST_SCALE;

#[inline(always)]
fn pack_body(keys: &[f32], width: usize, first: usize, scale: f32, to: &mut PackedWeights) -> bool {
    let row = |key: &[f32]| -> [f32; HEAD_WIDTH] {
        std::array::from_fn(|i| key[first..first + HEAD_WIDTH][i])
    };
    let mut mean = [0f32; HEAD_WIDTH];
    for key in keys.chunks_exact(width) {
        let key = row(key);
        for i in 0..HEAD_WIDTH {
            mean[i] += key[i];
        }
    }
    let tokens = (keys.len() / width) as f32;
    // A NaN or an infinity among the keys ends up here.
    let finite = mean.iter().all(|sum| sum.is_finite());
    for mean in &mut mean {
        *mean /= tokens;
    }
    let (columns, group) = (to.layout.width, to.layout.group);
    let panel = to.steps * columns * group;
    for (token, key) in keys.chunks_exact(width).enumerate() {
        let key = row(key);
        let centred: [f32; HEAD_WIDTH] = std::array::from_fn(|i| key[i] - mean[i]);
        let mut largest = [0f32; HEAD_WIDTH];
        for i in 0..HEAD_WIDTH {
            largest[i] = max(centred[i], -centred[i]);
        }
        let largest = largest.iter().fold(0f32, |a, b| max(a, *b));
        let step = max(largest / 127.0, SMALLEST_SCALE);
        let inverse = 1.0 / step;
        let levels: [i32; HEAD_WIDTH] =
            std::array::from_fn(|i| round_to_i32(centred[i] * inverse).clamp(-127, 127));
        let bytes: [i8; HEAD_WIDTH] = std::array::from_fn(|i| levels[i] as i8);
        to.scale.as_mut_slice()[token] = step * scale;
        to.sum.as_mut_slice()[token] = levels.iter().sum();
        let panel = &mut to.data.as_mut_slice()[token / columns * panel..][..panel];
        let column = token % columns * group;
        let steps = panel.chunks_exact_mut(columns * group);
        for (step, bytes) in steps.zip(bytes.chunks_exact(group)) {
            step[column..column + group].copy_from_slice(bytes);
        }
    }
    finite
}

multiversion! {
    /// Packs columns `first..first + HEAD_WIDTH` of `keys` (`[tokens, width]`), less their mean over the tokens, into `to`,
    /// which has the shape `[HEAD_WIDTH, tokens]`. False when a sum is not finite.
    pub(super) unsafe fn pack(keys: &[f32], width: usize, first: usize, scale: f32, to: &mut PackedWeights) -> bool = pack_body;
}
