//! The elementary functions of the kernels, written so that the compiler turns a loop over them into vector code and so
//! that every instruction set gives the same bits: fixed order, explicit fused multiply-add, rounding to even.

/// 1.5 * 2^23: adding it rounds an `f32` of magnitude below 2^22 to the nearest integer, ties to even, into the low bits.
const ROUND: f32 = 12_582_912.0;
const ROUND_BITS: i32 = 0x4B40_0000;

/// Nearest integer, ties to even. Only for |x| < 2^22.
#[inline(always)]
pub(crate) fn round_to_i32(x: f32) -> i32 {
    ((x + ROUND).to_bits() as i32).wrapping_sub(ROUND_BITS)
}

/// GELU(x) = x/2 (1 + erf(x / sqrt 2)) as max(x, 0) - |x| Q(|x|), where Q(a) = erfc(a / sqrt 2) / 2 is a polynomial of
/// degree 13 in t = 2a / `GELU_EDGE` - 1 (minimax for |x| Q; own fit by linear programming).
///
/// Absolute error below 1e-6 for every x (tested against `f64`); x itself for x >= 5.375, between -1e-6 and 0 for
/// x <= -5.375. No division. A NaN stays a NaN.
pub(crate) const GELU_EDGE: f32 = 5.375;
/// Coefficients of Q, highest power first.
pub(crate) const GELU_Q: [f32; 14] = [
    0.009_348_524,
    -0.023_435_97,
    -0.015_205_950_5,
    0.095_041_424,
    -0.060_718_28,
    -0.115_755_446,
    0.212_109_76,
    -0.080_426_42,
    -0.149_615_05,
    0.266_385_7,
    -0.216_938_44,
    0.104_576_08,
    -0.028_965_626,
    0.003_599_677_5,
];

/// See [`GELU_Q`].
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    let a = f32::from_bits(x.to_bits() & 0x7FFF_FFFF);
    let a = if a < GELU_EDGE { a } else { GELU_EDGE };
    let t = a.mul_add(2.0 / GELU_EDGE, -1.0);
    let mut q = GELU_Q[0];
    for c in &GELU_Q[1..] {
        q = q.mul_add(t, *c);
    }
    let positive = if x < 0.0 { 0.0 } else { x };
    (-a).mul_add(q, positive)
}

/// e^x for x <= 0, to a relative error of 4e-6 (the rounding of x / ln 2; 3e-7 for x > -1); what lies below -87 counts as -87 (1.6e-38). The factor 2^f, |f| <= 1/2,
/// is its Taylor polynomial of degree 6.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f32) -> f32 {
    let power = max(x * std::f32::consts::LOG2_E, -126.0);
    let whole = (power + ROUND) - ROUND;
    let f = power - whole;
    let mut p = 1.540_353e-4f32;
    for c in [
        1.333_355_8e-3,
        9.618_129e-3,
        5.550_411e-2,
        0.240_226_5,
        std::f32::consts::LN_2,
        1.0,
    ] {
        p = p.mul_add(f, c);
    }
    let bits = (power + ROUND).to_bits().wrapping_sub(ROUND_BITS as u32);
    p * f32::from_bits(bits.wrapping_add(127) << 23)
}

/// Number of partial sums of a reduction; fixed, so that the result does not depend on the vector width.
pub(crate) const LANES: usize = 16;

/// Folds 16 lanes into one by halves, always in the same order.
#[inline(always)]
pub(crate) fn fold_lanes(lanes: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|i| f(lanes[i], lanes[i + 8]));
    let four: [f32; 4] = std::array::from_fn(|i| f(eight[i], eight[i + 4]));
    f(f(four[0], four[2]), f(four[1], four[3]))
}

/// The largest magnitude of finite values. Magnitudes compare as their bits do, and a maximum of integers may be taken in
/// any order, so that the compiler makes vectors of the loop.
#[inline(always)]
pub(crate) fn largest_magnitude(values: &[f32]) -> f32 {
    let bits = values.iter().map(|v| v.to_bits() & 0x7FFF_FFFF);
    f32::from_bits(bits.fold(0, u32::max))
}

/// The larger of two values; the second when one is a NaN (`maxps`).
#[inline(always)]
pub(crate) fn max(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// erf by its Maclaurin series (|x| < 3) or the continued fraction of erfc.
    fn erf(x: f64) -> f64 {
        let a = x.abs();
        let r = if a < 3.0 {
            let (mut sum, mut term) = (a, a);
            for n in 1..120 {
                term *= -a * a / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            sum * std::f64::consts::FRAC_2_SQRT_PI
        } else {
            let mut tail = 0.0;
            for n in (1..60).rev() {
                tail = f64::from(n) / 2.0 / (a + tail);
            }
            1.0 - (-a * a).exp() / std::f64::consts::PI.sqrt() / (a + tail)
        };
        r.copysign(x)
    }

    #[test]
    fn the_reference_erf_is_erf() {
        // Values of Abramowitz and Stegun, table 7.1.
        for (x, y) in [
            (0.5, 0.520_499_877_8),
            (1.0, 0.842_700_792_9),
            (2.0, 0.995_322_265_0),
        ] {
            assert!((erf(x) - y).abs() < 1e-10, "{x}");
            assert!((erf(-x) + y).abs() < 1e-10, "{x}");
        }
        assert!((erf(2.999_999) - erf(3.000_001)).abs() < 1e-9);
    }

    #[test]
    fn gelu_is_within_a_millionth_of_the_exact_form() {
        let mut worst = 0f64;
        for i in -1_200_000..=1_200_000 {
            let x = i as f32 * 1e-5;
            let exact =
                0.5 * f64::from(x) * (1.0 + erf(f64::from(x) * std::f64::consts::FRAC_1_SQRT_2));
            worst = worst.max((f64::from(gelu(x)) - exact).abs());
        }
        assert!(worst < 1e-6, "{worst:e}");
        assert!(worst > 1e-8, "the sweep measured nothing");
    }

    #[test]
    fn gelu_of_extremes_is_defined() {
        assert_eq!(gelu(0.0), 0.0);
        for x in [5.375, 6.0, 1e20, f32::MAX, f32::INFINITY] {
            assert_eq!(gelu(x), x);
            assert!((-1e-6..=0.0).contains(&gelu(-x)), "{}", gelu(-x));
        }
        assert!(gelu(f32::NAN).is_nan());
    }

    #[test]
    fn the_exponential_is_within_four_parts_in_a_million() {
        let mut worst = 0f64;
        for i in 0..=8_700_000 {
            let x = i as f32 * -1e-5;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp_of_negative(x)) - exact).abs() / exact);
        }
        // The rounding of x / ln 2 grows with |x|: half a unit in the last place of 126 is 3.8e-6.
        assert!(worst < 4e-6, "{worst:e}");
        assert!(worst > 1e-8, "the sweep measured nothing");
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert!(exp_of_negative(-1e30) < 1e-37);
    }

    #[test]
    fn rounding_goes_to_even() {
        for (x, y) in [
            (0.5, 0),
            (1.5, 2),
            (2.5, 2),
            (-0.5, 0),
            (-1.5, -2),
            (254.5, 254),
            (0.499_999_97, 0),
        ] {
            assert_eq!(round_to_i32(x), y, "{x}");
        }
    }
}
