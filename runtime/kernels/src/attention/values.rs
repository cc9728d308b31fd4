//! Values become signed bytes, per channel, less their mean over the tokens.

use super::HEAD_WIDTH;
use crate::Isa;
use crate::buffer::Buffer;
use crate::math::{max, round_to_i32};
use crate::multiversion::multiversion;
use crate::quantise::SMALLEST_SCALE;

/// The values of one head, in steps of `group` tokens: `[steps][HEAD_WIDTH][group]`.
#[derive(Clone)]
pub(super) struct Values {
    /// For instruction sets that multiply 16 bits.
    pub(super) words: Buffer<i16>,
    /// For those that multiply 8.
    pub(super) bytes: Buffer<i8>,
    /// Per channel: value = scale * level + mean.
    pub(super) scale: [f32; HEAD_WIDTH],
    pub(super) mean: [f32; HEAD_WIDTH],
    /// Per channel, for AVX2: what `avx2::column_crosses` gives.
    #[cfg(target_arch = "x86_64")]
    pub(super) crosses: [i32; HEAD_WIDTH],
}

impl Values {
    pub(super) fn empty() -> Values {
        Values {
            words: Buffer::default(),
            bytes: Buffer::default(),
            scale: [0.0; HEAD_WIDTH],
            mean: [0.0; HEAD_WIDTH],
            #[cfg(target_arch = "x86_64")]
            crosses: [0; HEAD_WIDTH],
        }
    }

    /// Takes columns `first..first + HEAD_WIDTH` of `values` (`[tokens, width]`); room is made for `padded` tokens, a
    /// multiple of 16, of which those without a value hold anything. False when a sum is not finite.
    ///
    /// # Safety
    /// `isa` is available.
    pub(super) unsafe fn pack(
        &mut self,
        isa: Isa,
        values: &[f32],
        width: usize,
        first: usize,
        padded: usize,
    ) -> bool {
        let (scale, mean) = (&mut self.scale, &mut self.mean);
        let len = padded * HEAD_WIDTH;
        // SAFETY: the promise of the caller.
        unsafe {
            match isa {
                Isa::NeonI8mm => eights(
                    isa,
                    values,
                    width,
                    first,
                    self.bytes.prepare(len),
                    scale,
                    mean,
                ),
                Isa::NeonDot => fours(
                    isa,
                    values,
                    width,
                    first,
                    self.bytes.prepare(len),
                    scale,
                    mean,
                ),
                Isa::Avx512Vnni | Isa::Avx2 => {
                    let words = self.words.prepare(len);
                    let finite = pairs(isa, values, width, first, words, scale, mean);
                    #[cfg(target_arch = "x86_64")]
                    if isa == Isa::Avx2 {
                        super::avx2::column_crosses(words, &mut self.crosses);
                    }
                    finite
                }
                _ => singles(
                    isa,
                    values,
                    width,
                    first,
                    self.words.prepare(len),
                    scale,
                    mean,
                ),
            }
        }
    }
}

/// What a level is stored as.
trait Level: Copy {
    fn from_level(level: i32) -> Self;
}
impl Level for i8 {
    #[inline(always)]
    fn from_level(level: i32) -> i8 {
        level as i8
    }
}
impl Level for i16 {
    #[inline(always)]
    fn from_level(level: i32) -> i16 {
        level as i16
    }
}

#[inline(always)]
fn pack_body<L: Level, const GROUP: usize>(
    values: &[f32],
    width: usize,
    first: usize,
    to: &mut [L],
    scale: &mut [f32; HEAD_WIDTH],
    mean: &mut [f32; HEAD_WIDTH],
) -> bool {
    let row = |value: &[f32]| -> [f32; HEAD_WIDTH] {
        std::array::from_fn(|i| value[first..first + HEAD_WIDTH][i])
    };
    *mean = [0.0; HEAD_WIDTH];
    for value in values.chunks_exact(width) {
        let value = row(value);
        for i in 0..HEAD_WIDTH {
            mean[i] += value[i];
        }
    }
    // A NaN or an infinity among the values ends up here.
    let finite = mean.iter().all(|sum| sum.is_finite());
    let tokens = (values.len() / width) as f32;
    for mean in mean.iter_mut() {
        *mean /= tokens;
    }
    let mut largest = [0f32; HEAD_WIDTH];
    for value in values.chunks_exact(width) {
        let value = row(value);
        for i in 0..HEAD_WIDTH {
            let centred = value[i] - mean[i];
            largest[i] = max(max(centred, -centred), largest[i]);
        }
    }
    let mut inverse = [0f32; HEAD_WIDTH];
    for i in 0..HEAD_WIDTH {
        scale[i] = max(largest[i] / 127.0, SMALLEST_SCALE);
        inverse[i] = 1.0 / scale[i];
    }
    // A whole step at a time, so that its levels are written one after the other.
    let steps = to.chunks_exact_mut(HEAD_WIDTH * GROUP);
    for (step, values) in steps.zip(values.chunks(GROUP * width)) {
        let mut levels = [[0i32; HEAD_WIDTH]; GROUP];
        for (levels, value) in levels.iter_mut().zip(values.chunks_exact(width)) {
            let value = row(value);
            for i in 0..HEAD_WIDTH {
                let level = round_to_i32((value[i] - mean[i]) * inverse[i]);
                levels[i] = level.clamp(-127, 127);
            }
        }
        let (step, _) = step.as_chunks_mut::<GROUP>();
        for i in 0..HEAD_WIDTH {
            step[i] = std::array::from_fn(|token| L::from_level(levels[token][i]));
        }
    }
    finite
}

multiversion! {
    /// One token a step.
    unsafe fn singles(values: &[f32], width: usize, first: usize, to: &mut [i16], scale: &mut [f32; HEAD_WIDTH], mean: &mut [f32; HEAD_WIDTH]) -> bool = pack_body::<i16, 1>;
}
multiversion! {
    /// Two tokens a step, for `vpdpwssd` and `vpmaddwd`.
    unsafe fn pairs(values: &[f32], width: usize, first: usize, to: &mut [i16], scale: &mut [f32; HEAD_WIDTH], mean: &mut [f32; HEAD_WIDTH]) -> bool = pack_body::<i16, 2>;
}
multiversion! {
    /// Four tokens a step, for `sdot`.
    unsafe fn fours(values: &[f32], width: usize, first: usize, to: &mut [i8], scale: &mut [f32; HEAD_WIDTH], mean: &mut [f32; HEAD_WIDTH]) -> bool = pack_body::<i8, 4>;
}
multiversion! {
    /// Eight tokens a step, for `smmla`.
    unsafe fn eights(values: &[f32], width: usize, first: usize, to: &mut [i8], scale: &mut [f32; HEAD_WIDTH], mean: &mut [f32; HEAD_WIDTH]) -> bool = pack_body::<i8, 8>;
}
