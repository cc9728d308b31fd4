use andon_kernels::{Epilogue, Isa, PackedWeights};
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::broadcast::multi_broadcast;
use tract_onnx::tract_core::ops::math::add;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::logic::wire_with_rank_broadcast;

use super::{constant, expect_floats, floats, memory, pool, shared};

/// Reads a node: inputs are `x` `[.., k]`, weights `[k, n]` int8, scales `[n]`, bias `[n]`, and
/// perhaps a residual.
pub(super) fn read(
    _: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let gelu = node.get_attr_opt::<i64>("gelu")?.unwrap_or(0) != 0;
    let residual = node.input.len() == 5;
    Ok((expand(Layer { gelu, residual }), vec![]))
}

/// A layer whose shapes are not known yet.
#[derive(Debug, Clone)]
struct Layer {
    gelu: bool,
    residual: bool,
}

impl Expansion for Layer {
    fn name(&self) -> StaticName {
        super::LINEAR.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        expect_floats(s, inputs, 4 + usize::from(self.residual), outputs)?;
        s.equals(&inputs[1].datum_type, i8::datum_type())?;
        s.given_2(&inputs[0].shape, &inputs[1].shape, move |s, x, weights| {
            ensure!(
                !x.is_empty() && weights.len() == 2,
                "a linear layer needs [.., k] and [k, n]"
            );
            let mut shape = x;
            if let (Some(last), Some(n)) = (shape.last_mut(), weights.get(1)) {
                *last = n.clone();
            }
            if self.residual {
                // Where the residual is larger than the product, the sum is as large.
                s.given(&inputs[4].shape, move |s, residual| {
                    let sum = multi_broadcast(&[shape.as_slice(), residual.as_slice()])?;
                    s.equals(&outputs[0].shape, sum)
                })
            } else {
                s.equals(&outputs[0].shape, shape)
            }
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let [weights, scales, bias] = [
            constant(model, inputs[1])?,
            constant(model, inputs[2])?,
            constant(model, inputs[3])?,
        ];
        let [k, n] = *weights.shape() else {
            bail!("the weights of a linear layer need two axes");
        };
        let x = model.outlet_fact(inputs[0])?.clone();
        ensure!(
            x.shape.last() == Some(&k.to_dim()),
            "{prefix}: {x:?} does not fit weights of {k} rows"
        );
        let weights = shared::pack(
            Isa::detect(),
            weights.try_as_plain_ram()?.as_slice::<i8>()?,
            (k, n),
            floats(&scales)?,
            floats(&bias)?,
        )?;
        let mut shape = x.shape.clone();
        shape.set(shape.rank() - 1, n.to_dim());
        let residual = inputs.get(4).copied();
        // A residual of another shape is broadcast: rare, and the engine's own business.
        let fits = |outlet| {
            model
                .outlet_fact(outlet)
                .is_ok_and(|fact| fact.shape == shape)
        };
        let fused = residual.filter(|outlet| fits(*outlet));
        let finish = match (self.gelu, fused) {
            (true, _) => Finish::Gelu,
            (false, Some(_)) => Finish::Residual,
            (false, None) => Finish::None,
        };
        let op = Linear { weights, finish };
        let mut data = tvec!(inputs[0]);
        data.extend(fused);
        let mut wires = model.wire_node(prefix, op, &data)?;
        if let (Some(residual), None) = (residual, fused) {
            let sum = format!("{prefix}.residual");
            wires = wire_with_rank_broadcast(sum, model, add(), &[wires[0], residual])?;
        }
        Ok(wires)
    }
}

/// What follows the product and the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    None,
    Gelu,
    Residual,
}

/// A linear layer with its weights packed for this processor.
#[derive(Debug, Clone)]
struct Linear {
    weights: Arc<PackedWeights>,
    finish: Finish,
}

impl PartialEq for Linear {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.weights, &other.weights) && self.finish == other.finish
    }
}

impl Eq for Linear {}

impl Op for Linear {
    fn name(&self) -> StaticName {
        super::LINEAR.into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("{:?} {:?}", self.weights, self.finish)])
    }

    op_as_typed_op!();
}

impl EvalOp for Linear {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut shape: TVec<usize> = inputs[0].shape().into();
        if let Some(last) = shape.last_mut() {
            *last = self.weights.n();
        }
        let mut inputs = inputs.into_iter();
        let x = inputs.next().context("no input")?;
        // The residual is added where it lies when nobody else needs it.
        let (mut out, epilogue) = match (self.finish, inputs.next()) {
            (Finish::Residual, Some(residual)) => (residual.into_tensor(), Epilogue::Accumulate),
            (Finish::Gelu, _) => (memory::take(&shape)?, Epilogue::Gelu),
            _ => (memory::take(&shape)?, Epilogue::None),
        };
        let mut plain = out.try_as_plain_ram_mut()?;
        let values = plain.as_slice_mut::<f32>()?;
        pool()?.linear(&self.weights, floats(&x)?, epilogue, values)?;
        memory::give_back([x]);
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for Linear {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut shape = inputs[0].shape.clone();
        shape.set(shape.rank() - 1, self.weights.n().to_dim());
        Ok(tvec!(f32::fact(shape)))
    }

    as_op!();
}
