//! Repeatable noise from integer hashes: surfaces and sensors take theirs from here.
//!
//! Integer arithmetic only decides the values, so the same key gives the same noise everywhere.

/// Largest integer not above `x`, saturating; the standard `floor` is a library call on the
/// oldest x86-64 machines.
fn floor(x: f32) -> i32 {
    let towards_zero = x as i32;
    towards_zero.wrapping_sub(i32::from(x < towards_zero as f32))
}

/// A hash of a lattice point; every bit of the input reaches every bit of the output.
pub(super) fn lattice(x: i32, y: i32, key: u32) -> u32 {
    let mut h = key
        .wrapping_add((x as u32).wrapping_mul(0x9E37_79B1))
        .wrapping_add((y as u32).wrapping_mul(0x85EB_CA6B));
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// A hash of 64 bits (the finaliser of splitmix64).
pub(super) fn scramble(word: u64) -> u64 {
    let mut h = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    h = (h ^ (h >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    h ^ (h >> 31)
}

/// A hash as a number in `-1.0..1.0`.
pub(super) fn signed(hash: u32) -> f32 {
    (hash as i32) as f32 * (1.0 / 2_147_483_648.0)
}

/// Value noise: random numbers in `-1.0..1.0` on whole coordinates, blended smoothly between
/// them.
///
/// It remembers the cell that it was last asked for. Pictures are drawn along rows, so most pixels
/// need no hash; what it gives depends on the point alone.
pub(super) struct Field {
    key: u32,
    cell: [i32; 2],
    /// Left and right of the upper edge of the cell, then of the lower one.
    corners: [f32; 4],
}

impl Field {
    /// The noise of this key.
    pub(super) fn new(key: u32) -> Self {
        Self {
            key,
            cell: [0, 0],
            corners: corners([0, 0], key),
        }
    }

    /// The noise at a point.
    #[inline]
    pub(super) fn at(&mut self, x: f32, y: f32) -> f32 {
        let cell = [floor(x), floor(y)];
        if cell != self.cell {
            self.cell = cell;
            self.corners = corners(cell, self.key);
        }
        let blend = |t: f32| t * t * (3.0 - 2.0 * t);
        let (tx, ty) = (blend(x - cell[0] as f32), blend(y - cell[1] as f32));
        let [a, b, c, d] = self.corners;
        let top = a + (b - a) * tx;
        let bottom = c + (d - c) * tx;
        top + (bottom - top) * ty
    }
}

fn corners([x, y]: [i32; 2], key: u32) -> [f32; 4] {
    let (right, below) = (x.wrapping_add(1), y.wrapping_add(1));
    [(x, y), (right, y), (x, below), (right, below)].map(|(x, y)| signed(lattice(x, y, key)))
}

/// Value noise at one point, where no neighbour will be asked for.
pub(super) fn value(x: f32, y: f32, key: u32) -> f32 {
    Field::new(key).at(x, y)
}

/// Three octaves of value noise, within `-1.0..1.0`.
pub(super) struct Cloud([Field; 3]);

impl Cloud {
    /// The noise of this key.
    pub(super) fn new(key: u32) -> Self {
        Self([key, key ^ 0x5A5A, key ^ 0xA5A5].map(Field::new))
    }

    /// The noise at a point.
    pub(super) fn at(&mut self, x: f32, y: f32) -> f32 {
        let [coarse, middle, fine] = &mut self.0;
        (coarse.at(x, y)
            + 0.5 * middle.at(2.03 * x + 17.0, 2.03 * y)
            + 0.25 * fine.at(4.1 * x, 4.1 * y + 31.0))
            / 1.75
    }
}

/// Value noise along one axis, in double precision so that it stays smooth for any part index.
pub(super) fn slow(t: f64, key: u64) -> f32 {
    let cell = t.floor();
    let fraction = (t - cell) as f32;
    let corner = |step: u64| {
        let hash = scramble(
            key ^ (cell as u64)
                .wrapping_add(step)
                .wrapping_mul(0xD6E8_FEB8_6659_FD93),
        );
        signed((hash >> 32) as u32)
    };
    let (a, b) = (corner(0), corner(1));
    a + (b - a) * (fraction * fraction * (3.0 - 2.0 * fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_stays_in_its_range_and_varies() {
        let mut cloud = Cloud::new(7);
        let mut low = f32::MAX;
        let mut high = f32::MIN;
        for step in 0..20_000 {
            let t = step as f32 * 0.37 - 3000.0;
            for v in [
                value(t, -0.6 * t, 7),
                cloud.at(0.2 * t, t),
                slow(f64::from(t), 7),
            ] {
                assert!((-1.0..=1.0).contains(&v), "{v} at {t}");
                low = low.min(v);
                high = high.max(v);
            }
        }
        assert!(low < -0.8 && high > 0.8, "{low} to {high}");
    }

    #[test]
    fn noise_does_not_panic_far_away() {
        for far in [1e9, -1e9, 1e30, -1e30, f32::MAX, f32::INFINITY] {
            let _ = value(far, -far, 1);
        }
    }
}
