//! The fused operators as `tract` runs them. Each is a node of an own name in the ONNX graph, an
//! expansion that checks shapes while the graph is read, and an operator that calls a kernel.

mod attention;
mod linear;
mod norm;
mod shared;

use std::cell::RefCell;

use andon_kernels::{PackedHead, Scratch};
use tract_onnx::Onnx;
use tract_onnx::tract_hir::internal::*;

/// Names of the nodes; no standard operator is called so.
pub(super) const LINEAR: &str = "AndonLinear";
/// See [`LINEAR`].
pub(super) const ATTENTION: &str = "AndonAttention";
/// See [`LINEAR`].
pub(super) const NORM: &str = "AndonLayerNorm";

/// Teaches the reader of ONNX files the fused operators.
pub(in crate::vit) fn register(onnx: &mut Onnx) {
    onnx.op_register.insert(LINEAR, linear::read);
    onnx.op_register.insert(ATTENTION, attention::read);
    onnx.op_register.insert(NORM, norm::read);
}

thread_local! {
    /// Working memory of the kernels. Threads of the pool live as long as the network, so that
    /// nothing is allocated after the first image.
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
    /// Keys and values of the heads of the block that is being run.
    static HEADS: RefCell<Vec<PackedHead>> = const { RefCell::new(Vec::new()) };
}

/// Calls a kernel with the working memory of this thread.
fn with_scratch<T>(
    work: impl FnOnce(&mut Scratch) -> Result<T, andon_kernels::Error>,
) -> TractResult<T> {
    SCRATCH.with_borrow_mut(|scratch| Ok(work(scratch)?))
}

/// The values of a float tensor.
pub(super) fn floats(tensor: &Tensor) -> TractResult<&[f32]> {
    tensor.try_as_plain_ram()?.as_slice::<f32>()
}

/// The constant behind an input.
fn constant(model: &TypedModel, outlet: OutletId) -> TractResult<Arc<Tensor>> {
    let fact = model.outlet_fact(outlet)?;
    let Some(tensor) = fact.konst.clone() else {
        bail!("a parameter of a fused operator is not constant");
    };
    Ok(tensor)
}
