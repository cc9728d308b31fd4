//! Keys become the int8 weights of a linear layer: one column a token.

use super::HEAD_WIDTH;
use crate::PackedWeights;
use crate::math::{largest_magnitude, max, round_to_i32};
use crate::multiversion::multiversion;
use crate::quantise::SMALLEST_SCALE;

/// `GROUP` is that of the layout.
#[inline(always)]
fn pack_body<const GROUP: usize>(
    keys: &[f32],
    width: usize,
    first: usize,
    scale: f32,
    to: &mut PackedWeights,
) -> bool {
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
    let columns = to.layout.width;
    let panel = to.steps * columns;
    let scales = to.scale.as_mut_slice().iter_mut();
    let scales = scales.zip(to.sum.as_mut_slice());
    let (groups, _) = to.data.as_mut_slice().as_chunks_mut::<GROUP>();
    for ((token, key), (to_scale, to_sum)) in keys.chunks_exact(width).enumerate().zip(scales) {
        let key = row(key);
        let mut centred = [0f32; HEAD_WIDTH];
        for i in 0..HEAD_WIDTH {
            centred[i] = key[i] - mean[i];
        }
        let step = max(largest_magnitude(&centred) / 127.0, SMALLEST_SCALE);
        let inverse = 1.0 / step;
        // Two loops: the compiler makes vectors of them, but not of one that does both.
        let (mut levels, mut bytes) = ([0i32; HEAD_WIDTH], [0i8; HEAD_WIDTH]);
        for i in 0..HEAD_WIDTH {
            levels[i] = round_to_i32(centred[i] * inverse).clamp(-127, 127);
        }
        for i in 0..HEAD_WIDTH {
            bytes[i] = levels[i] as i8;
        }
        *to_scale = step * scale;
        *to_sum = levels.iter().sum();
        let steps = groups[token / columns * panel..][..panel].chunks_exact_mut(columns);
        for (step, bytes) in steps.zip(bytes.as_chunks::<GROUP>().0) {
            step[token % columns] = *bytes;
        }
    }
    finite
}

/// Packs columns `first..first + HEAD_WIDTH` of `keys` (`[tokens, width]`), less their mean over the tokens, into `to`,
/// which has the shape `[HEAD_WIDTH, tokens]`. False when a sum is not finite.
///
/// # Safety
/// The instruction set of `to` is available.
pub(super) unsafe fn pack(
    keys: &[f32],
    width: usize,
    first: usize,
    scale: f32,
    to: &mut PackedWeights,
) -> bool {
    let isa = to.isa();
    // SAFETY: the promise of the caller.
    unsafe {
        match to.layout.group {
            1 => singles(isa, keys, width, first, scale, to),
            4 => fours(isa, keys, width, first, scale, to),
            8 => eights(isa, keys, width, first, scale, to),
            _ => sixteens(isa, keys, width, first, scale, to),
        }
    }
}

multiversion! {
    /// One value a group.
    unsafe fn singles(keys: &[f32], width: usize, first: usize, scale: f32, to: &mut PackedWeights) -> bool = pack_body::<1>;
}
multiversion! {
    /// Four values a group.
    unsafe fn fours(keys: &[f32], width: usize, first: usize, scale: f32, to: &mut PackedWeights) -> bool = pack_body::<4>;
}
multiversion! {
    /// Eight values a group.
    unsafe fn eights(keys: &[f32], width: usize, first: usize, scale: f32, to: &mut PackedWeights) -> bool = pack_body::<8>;
}
multiversion! {
    /// Sixteen values a group.
    unsafe fn sixteens(keys: &[f32], width: usize, first: usize, scale: f32, to: &mut PackedWeights) -> bool = pack_body::<16>;
}
