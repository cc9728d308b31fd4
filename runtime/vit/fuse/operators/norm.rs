use andon_kernels::Isa;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{constant, expect_floats, floats, memory, pool};

/// Reads a node: inputs are `x` `[.., k]`, scale `[k]` and offset `[k]`.
pub(super) fn read(
    _: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let epsilon = node.get_attr_opt::<f32>("epsilon")?.unwrap_or(1e-5);
    Ok((expand(Norm { epsilon }), vec![]))
}

/// A LayerNorm whose shapes are not known yet.
#[derive(Debug, Clone)]
struct Norm {
    epsilon: f32,
}

impl Expansion for Norm {
    fn name(&self) -> StaticName {
        super::NORM.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        expect_floats(s, inputs, 3, outputs)?;
        s.equals(&outputs[0].shape, &inputs[0].shape)
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let x = model.outlet_fact(inputs[0])?.clone();
        let (scale, offset) = (constant(model, inputs[1])?, constant(model, inputs[2])?);
        for parameter in [&scale, &offset] {
            let k = parameter.len().to_dim();
            ensure!(
                x.shape.last() == Some(&k),
                "{prefix}: {x:?} does not fit {k} scales"
            );
        }
        let op = LayerNorm {
            epsilon: self.epsilon.to_bits(),
            scale,
            offset,
        };
        model.wire_node(prefix, op, &inputs[..1])
    }
}

/// A LayerNorm with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LayerNorm {
    /// The bits of it, so that operators can be compared.
    epsilon: u32,
    scale: Arc<Tensor>,
    offset: Arc<Tensor>,
}

impl Op for LayerNorm {
    fn name(&self) -> StaticName {
        super::NORM.into()
    }

    op_as_typed_op!();
}

impl EvalOp for LayerNorm {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let mut out = memory::take(x.shape())?;
        let (scale, offset) = (floats(&self.scale)?, floats(&self.offset)?);
        let epsilon = f32::from_bits(self.epsilon);
        let mut plain = out.try_as_plain_ram_mut()?;
        let values = plain.as_slice_mut::<f32>()?;
        pool()?.layer_norm(Isa::detect(), floats(&x)?, scale, offset, epsilon, values)?;
        memory::give_back([x]);
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for LayerNorm {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(inputs[0].shape.clone())))
    }

    as_op!();
}
