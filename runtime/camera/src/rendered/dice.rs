//! Random streams: one per seed, part and purpose, so that asking for one part never changes
//! another and a new purpose never shifts an old one.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is used for; each purpose has its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Where the part lies and how its pieces are turned: everything that good parts vary in.
    Pose = 1,
    /// Brightness and colour of the lamp over time.
    Drift = 2,
    /// Whether the part is defective, and of which kind.
    Verdict = 3,
    /// Place, size and contrast of a defect.
    Damage = 4,
    /// Sensor noise.
    Sensor = 5,
}

/// One random stream. ChaCha and the conversions below are integer arithmetic and exact
/// multiplications, so they give the same values on every platform.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one `purpose` for part `index` of the line `seed`; `variant` tells streams of
    /// the same purpose apart.
    pub(super) fn new(seed: u64, index: u64, purpose: Purpose, variant: u64) -> Self {
        let mut key = [0; 32];
        for (slot, word) in key
            .chunks_exact_mut(8)
            .zip([seed, index, purpose as u64, variant])
        {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// 64 random bits.
    pub(super) fn wide_bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0.0..1.0`.
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform between `low` and `high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Triangular in `-1.0..1.0`, most often near zero: the shape of a mechanical play.
    pub(super) fn play(&mut self) -> f32 {
        self.unit() - self.unit()
    }

    /// True with probability `chance`.
    pub(super) fn chance(&mut self, chance: f32) -> bool {
        self.unit() < chance
    }

    /// Either `1.0` or `-1.0`.
    pub(super) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// One of `choices`; `None` when there is none.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let at = (u64::from(self.bits()) * choices.len() as u64) >> 32;
        choices.get(at as usize).copied()
    }
}
