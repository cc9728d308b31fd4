use andon_kernels::{HEAD_WIDTH, Isa, PackedHead};
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{HEADS, expect_floats, floats, memory, pool};

/// Reads a node: inputs are queries, keys and values, `[batch, tokens, heads * 64]`.
pub(super) fn read(
    _: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let attention = Attention {
        heads: node.get_attr::<i64>("heads")?.try_into()?,
        scale: node.get_attr::<f32>("scale")?.to_bits(),
    };
    Ok((expand(attention), vec![]))
}

/// Attention of heads that lie side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attention {
    heads: usize,
    /// Factor of the logits: the bits of it, so that operators can be compared.
    scale: u32,
}

impl Expansion for Attention {
    fn name(&self) -> StaticName {
        super::ATTENTION.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        expect_floats(s, inputs, 3, outputs)?;
        for input in inputs {
            s.equals(&input.datum_type, f32::datum_type())?;
            s.equals(&input.rank, 3)?;
            s.equals(&input.shape[2], (self.heads * HEAD_WIDTH).to_dim())?;
        }
        s.equals(&inputs[1].shape, &inputs[2].shape)?;
        s.equals(&inputs[0].shape[0], &inputs[1].shape[0])?;
        s.equals(&outputs[0].shape, &inputs[0].shape)
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for Attention {
    fn name(&self) -> StaticName {
        super::ATTENTION.into()
    }

    op_as_typed_op!();
}

impl EvalOp for Attention {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (queries, keys, values) = args_3!(inputs);
        let [batch, tokens, width] = *queries.shape() else {
            bail!("attention needs three axes, not {:?}", queries.shape());
        };
        ensure!(
            width == self.heads * HEAD_WIDTH,
            "attention of {width} channels"
        );
        let mut out = memory::take(queries.shape())?;
        let others = keys.len() / batch.max(1);
        let mut plain = out.try_as_plain_ram_mut()?;
        let rows = plain.as_slice_mut::<f32>()?;
        HEADS.with_borrow_mut(|heads| -> TractResult<()> {
            while heads.len() < self.heads {
                heads.push(PackedHead::new(Isa::detect())?);
            }
            let (heads, scale) = (&mut heads[..self.heads], f32::from_bits(self.scale));
            let (queries, keys, values) = (floats(&queries)?, floats(&keys)?, floats(&values)?);
            let pool = pool()?;
            for (image, out) in rows.chunks_exact_mut(tokens * width).enumerate() {
                let queries = &queries[image * tokens * width..][..tokens * width];
                let keys = &keys[image * others..][..others];
                let values = &values[image * others..][..others];
                pool.attention(heads, queries, keys, values, scale, out)?;
            }
            Ok(())
        })?;
        memory::give_back([queries, keys, values]);
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for Attention {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(inputs[0].shape.clone())))
    }

    as_op!();
}
