//! Values that nobody needs any more become room for new ones. Without this every operator would clear its output first,
//! on one thread, only to write it.

use std::cell::RefCell;

use tract_onnx::tract_hir::internal::*;

/// Most values that are kept; between two operators of a block no more than these lie idle.
const MOST: usize = 6;

thread_local! {
    /// Float values without an owner, the newest last.
    static IDLE: RefCell<Vec<Tensor>> = const { RefCell::new(Vec::new()) };
}

/// A float tensor of this shape that may hold anything: whoever takes it writes all of it.
pub(super) fn take(shape: &[usize]) -> TractResult<Tensor> {
    let len: usize = shape.iter().product();
    let idle = IDLE.with_borrow_mut(|idle| {
        // The newest is the likeliest to be in the cache still.
        let found = idle.iter().rposition(|tensor| tensor.len() == len);
        found.map(|index| idle.remove(index))
    });
    match idle {
        Some(tensor) => tensor.into_shape(shape),
        None => Tensor::zero::<f32>(shape),
    }
}

/// Keeps the values that have no other owner.
pub(super) fn give_back(values: impl IntoIterator<Item = TValue>) {
    IDLE.with_borrow_mut(|idle| {
        for value in values {
            if value.is_exclusive() && value.datum_type() == f32::datum_type() {
                if idle.len() == MOST {
                    idle.remove(0);
                }
                idle.push(value.into_tensor());
            }
        }
    });
}

/// Frees what is kept.
pub(super) fn clear() {
    IDLE.with_borrow_mut(Vec::clear);
}
