//! The fused operators as `tract` runs them. Each is a node of an own name in the ONNX graph, an
//! expansion that checks shapes while the graph is read, and an operator that calls a kernel.

mod attention;
mod linear;
mod memory;
mod norm;
mod patches;
mod shared;

use std::cell::RefCell;
use std::sync::Arc;

use andon_kernels::{PackedHead, Pool};
use tract_onnx::Onnx;
use tract_onnx::tract_hir::internal::*;

/// Names of the nodes; no standard operator is called so.
pub(super) const LINEAR: &str = "AndonLinear";
/// See [`LINEAR`].
pub(super) const ATTENTION: &str = "AndonAttention";
/// See [`LINEAR`].
pub(super) const NORM: &str = "AndonLayerNorm";
/// See [`LINEAR`].
pub(super) const PATCHES: &str = "AndonPatchEmbedding";
/// All of them.
pub(super) const ALL: [&str; 4] = [LINEAR, ATTENTION, NORM, PATCHES];

/// Teaches the reader of ONNX files the fused operators.
pub(in crate::vit) fn register(onnx: &mut Onnx) {
    onnx.op_register.insert(LINEAR, linear::read);
    onnx.op_register.insert(ATTENTION, attention::read);
    onnx.op_register.insert(NORM, norm::read);
    onnx.op_register.insert(PATCHES, patches::read);
}

thread_local! {
    /// The threads of the network that this thread runs, if any.
    static POOL: RefCell<Option<Arc<Pool>>> = const { RefCell::new(None) };
    /// Keys and values of the heads of the block that is being run.
    static HEADS: RefCell<Vec<PackedHead>> = const { RefCell::new(Vec::new()) };
}

/// Runs a network whose fused operators use `pool`.
pub(in crate::vit) fn on_pool<T>(pool: &Arc<Pool>, run: impl FnOnce() -> T) -> T {
    /// Puts back what was there, also when a panic passes.
    struct Before(Option<Arc<Pool>>);
    impl Drop for Before {
        fn drop(&mut self) {
            POOL.set(self.0.take());
            memory::clear();
        }
    }
    let _before = Before(POOL.replace(Some(Arc::clone(pool))));
    run()
}

/// The threads of this network; without [`on_pool`] it is this one alone.
fn pool() -> TractResult<Arc<Pool>> {
    POOL.with_borrow_mut(|pool| match pool {
        Some(pool) => Ok(Arc::clone(pool)),
        None => Ok(Arc::clone(pool.insert(Arc::new(Pool::new(1)?)))),
    })
}

/// The values of a float tensor.
pub(super) fn floats(tensor: &Tensor) -> TractResult<&[f32]> {
    tensor.try_as_plain_ram()?.as_slice::<f32>()
}

/// `arity` inputs and one output; the first input and the output are floats.
fn expect_floats<'r, 'p: 'r>(
    s: &mut Solver<'r>,
    inputs: &'p [TensorProxy],
    arity: usize,
    outputs: &'p [TensorProxy],
) -> InferenceResult {
    check_input_arity(inputs, arity)?;
    check_output_arity(outputs, 1)?;
    s.equals(&inputs[0].datum_type, f32::datum_type())?;
    s.equals(&outputs[0].datum_type, f32::datum_type())
}

/// The constant behind an input.
fn constant(model: &TypedModel, outlet: OutletId) -> TractResult<Arc<Tensor>> {
    let fact = model.outlet_fact(outlet)?;
    let Some(tensor) = fact.konst.clone() else {
        bail!("a parameter of a fused operator is not constant");
    };
    Ok(tensor)
}
