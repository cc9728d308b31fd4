//! Plain loops over columns, written so that they vectorise. They must never allocate.

/// Inner product, in eight running sums so that the additions do not wait for each other.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in a8.iter().zip(b8) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// `y += factor x`.
pub(crate) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// `x *= factor`.
pub(crate) fn scale(x: &mut [f64], factor: f64) {
    x.iter_mut().for_each(|v| *v *= factor);
}

/// Largest magnitude; NaN is passed over, so look for it first.
pub(crate) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |m, v| f64::max(m, v.abs()))
}

/// Euclidean length, whatever the scale; destroys `x`.
pub(crate) fn length(x: &mut [f64]) -> f64 {
    let top = largest(x);
    if top == 0.0 {
        return 0.0;
    }
    x.iter_mut().for_each(|v| *v /= top);
    top * dot(x, x).sqrt()
}

/// Brings `x` to unit length and returns true, whatever its scale; leaves a zero column as it is
/// and returns false. Squares of 1e200 would overflow and of 1e-200 vanish, so the largest entry
/// is brought to 1 first.
pub(crate) fn normalise(x: &mut [f64]) -> bool {
    let top = largest(x);
    if top == 0.0 || !top.is_finite() {
        return false;
    }
    // Two divisions rather than one reciprocal, which overflows for subnormal numbers.
    x.iter_mut().for_each(|v| *v /= top);
    let length = dot(x, x).sqrt();
    scale(x, 1.0 / length);
    true
}
