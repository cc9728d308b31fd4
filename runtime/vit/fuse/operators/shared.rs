//! Packed weights are made once, however many networks of the program use them: one for each size
//! of input, say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use andon_kernels::{Error, Isa, PackedWeights};
use twox_hash::xxhash3_128::Hasher;

/// What networks that still live use, by what it was made from.
static PACKED: Mutex<Option<HashMap<u128, Weak<PackedWeights>>>> = Mutex::new(None);

/// The same as [`PackedWeights::pack`], perhaps made before.
///
/// # Errors
/// As for [`PackedWeights::pack`].
pub(super) fn pack(
    isa: Isa,
    weights: &[i8],
    (k, n): (usize, usize),
    scales: &[f32],
    bias: &[f32],
) -> Result<Arc<PackedWeights>, Error> {
    let key = key(isa, weights, (k, n), scales, bias);
    // A panic elsewhere leaves the map as it was: whole.
    let mut packed = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    let packed = packed.get_or_insert_default();
    if let Some(known) = packed.get(&key).and_then(Weak::upgrade) {
        return Ok(known);
    }
    let new = Arc::new(PackedWeights::pack(isa, weights, k, n, scales, bias)?);
    packed.retain(|_, held| held.strong_count() > 0);
    packed.insert(key, Arc::downgrade(&new));
    Ok(new)
}

/// Tells apart whatever is packed differently. Not against an attacker: the model was verified.
fn key(isa: Isa, weights: &[i8], (k, n): (usize, usize), scales: &[f32], bias: &[f32]) -> u128 {
    let mut hash = Hasher::new();
    hash.write(format!("{isa:?} {k} {n} {} {}", scales.len(), bias.len()).as_bytes());
    hash.write(bytemuck::cast_slice(weights));
    hash.write(bytemuck::cast_slice(scales));
    hash.write(bytemuck::cast_slice(bias));
    hash.finish_128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_packed_once_and_others_apart() {
        let isa = Isa::Portable;
        let (weights, scales, bias) = ([1, -2, 3, 4], [0.5, 0.25], [0.0, 1.0]);
        let one = pack(isa, &weights, (2, 2), &scales, &bias).unwrap();
        let same = pack(isa, &weights, (2, 2), &scales, &bias).unwrap();
        assert!(Arc::ptr_eq(&one, &same));
        let other = pack(isa, &weights, (2, 2), &scales, &[0.0, 2.0]).unwrap();
        assert!(!Arc::ptr_eq(&one, &other));
        let weak = Arc::downgrade(&one);
        drop((one, same));
        assert!(weak.upgrade().is_none(), "nobody uses it any more");
    }
}
