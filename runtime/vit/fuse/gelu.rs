//! GELU in its exact form: the operator of opset 20, or written with `Erf` as older exports do,
//! `x * (1 + erf(x / sqrt 2)) * 0.5`.

use super::index::{Index, attribute};

/// The nodes that make GELU of `value` and the name of the result, if nothing else is made of it.
pub(super) fn of(index: &Index<'_>, value: &str) -> Option<(Vec<usize>, String)> {
    if let Some(gelu) = index.read_only_by(value, "Gelu") {
        let exact = attribute(&index.nodes[gelu], "approximate")
            .is_none_or(|how| how.s.is_empty() || how.s == b"none");
        return exact.then(|| (vec![gelu], index.output(gelu).to_owned()));
    }
    let [one, other] = *index.readers(value)? else {
        return None;
    };
    by_erf(index, value, one, other).or_else(|| by_erf(index, value, other, one))
}

/// `scaled` starts the way to erf, `product` multiplies with its end.
fn by_erf(
    index: &Index<'_>,
    value: &str,
    scaled: usize,
    product: usize,
) -> Option<(Vec<usize>, String)> {
    let factor = match index.nodes[scaled].op_type.as_str() {
        "Div" if index.input(scaled, 0) == value => {
            1.0 / index.scalar(index.other_input(scaled, value)?)?
        }
        "Mul" => index.scalar(index.other_input(scaled, value)?)?,
        _ => return None,
    };
    let erf = index.read_only_by(index.output(scaled), "Erf")?;
    let plus = index.read_only_by(index.output(erf), "Add")?;
    let one = index.scalar(index.other_input(plus, index.output(erf))?)?;
    let times = index.read_only_by(index.output(plus), "Mul")?;
    let half = index.read_only_by(index.output(times), "Mul")?;
    let a_half = index.scalar(index.other_input(half, index.output(times))?)?;
    let is = |found: f32, expected: f32| (found - expected).abs() < 1e-6;
    let fits = times == product
        && index.other_input(times, index.output(plus)) == Some(value)
        && is(factor, std::f32::consts::FRAC_1_SQRT_2)
        && is(one, 1.0)
        && is(a_half, 0.5);
    fits.then(|| {
        let nodes = vec![scaled, erf, plus, times, half];
        (nodes, index.output(half).to_owned())
    })
}
