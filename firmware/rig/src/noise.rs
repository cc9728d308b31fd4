//! A bad cable: flips one bit in some of the bytes. Seeded, so that a run can be repeated.

/// Noise on a line.
#[derive(Clone, Debug)]
pub struct Noise {
    state: u64,
    per_mille: u64,
    flipped: u64,
}

impl Noise {
    /// Noise that hits so many bytes in a thousand.
    #[must_use]
    pub const fn new(seed: u64, per_mille: u64) -> Self {
        Self {
            state: seed,
            per_mille,
            flipped: 0,
        }
    }

    /// Sends bytes through the noise.
    pub fn spoil(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.draw() % 1000 < self.per_mille {
                *byte ^= 1 << (self.draw() % 8);
                self.flipped += 1;
            }
        }
    }

    /// Bytes hit so far.
    #[must_use]
    pub const fn flipped(&self) -> u64 {
        self.flipped
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
