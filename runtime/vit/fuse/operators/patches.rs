use nalgebra::{DMatrixView, DMatrixViewMut};
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{constant, expect_floats, floats, memory, pool};

/// Reads a node: inputs are pictures `[n, channels, height, width]`, weights `[k, channels, h, w]` for
/// patches of `h` x `w` pixels that lie side by side, and bias `[k]`.
pub(super) fn read(
    _: &ParsingContext,
    _: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    Ok((expand(Embedding), vec![]))
}

/// An embedding of patches whose shapes are not known yet.
#[derive(Debug, Clone)]
struct Embedding;

impl Expansion for Embedding {
    fn name(&self) -> StaticName {
        super::PATCHES.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        expect_floats(s, inputs, 3, outputs)?;
        s.given_2(&inputs[0].shape, &inputs[1].shape, |s, x, weights| {
            let weights: TVec<usize> = weights
                .iter()
                .map(TDim::to_usize)
                .collect::<Result<_, _>>()?;
            s.equals(&outputs[0].shape, embedded(&x, &weights)?)
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let x = model.outlet_fact(inputs[0])?.clone();
        let (weights, bias) = (constant(model, inputs[1])?, constant(model, inputs[2])?);
        let [k, channels, ..] = *weights.shape() else {
            bail!("the weights of an embedding of patches need four axes");
        };
        ensure!(
            x.shape.get(1) == Some(&channels.to_dim()) && bias.len() == k,
            "{prefix}: {x:?} and {bias:?} do not fit weights {weights:?}"
        );
        model.wire_node(prefix, PatchEmbedding { weights, bias }, &inputs[..1])
    }
}

/// An embedding of patches with its parameters: each patch is a row of pixels, and all of them are
/// multiplied by the weights at once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PatchEmbedding {
    weights: Arc<Tensor>,
    bias: Arc<Tensor>,
}

/// Shape of what comes of pictures `[n, channels, height, width]` by these weights.
fn embedded<D: DimLike>(x: &[D], weights: &[usize]) -> TractResult<TVec<D>> {
    let ([n, _, height, width], &[k, _, h, w]) = (x, weights) else {
        bail!("an embedding of patches needs pictures and weights of four axes");
    };
    ensure!(h > 0 && w > 0, "a patch has no pixels");
    let (rows, cols) = (height.clone() / h, width.clone() / w);
    Ok(tvec!(n.clone(), k.into(), rows, cols))
}

impl Op for PatchEmbedding {
    fn name(&self) -> StaticName {
        super::PATCHES.into()
    }

    op_as_typed_op!();
}

impl EvalOp for PatchEmbedding {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let shape = embedded(x.shape(), self.weights.shape())?;
        let (&[_, channels, height, width], &[_, k, rows, cols]) = (x.shape(), &shape[..]) else {
            bail!("pictures have four axes");
        };
        let &[_, _, h, w] = self.weights.shape() else {
            bail!("weights have four axes");
        };
        let (patches, pixels) = (rows * cols, channels * h * w);
        ensure!(
            patches * pixels * k > 0,
            "the picture is smaller than a patch"
        );
        let mut out = memory::take(&shape)?;
        // Pixel by pixel of a patch, that pixel of all patches: `[pixels, patches]`.
        let mut unfolded = memory::take(&[pixels, patches])?;
        let (weights, bias, pool) = (floats(&self.weights)?, floats(&self.bias)?, pool()?);
        let mut plain = out.try_as_plain_ram_mut()?;
        let pictures = floats(&x)?.chunks_exact(channels * height * width);
        let outputs = plain.as_slice_mut::<f32>()?.chunks_exact_mut(k * patches);
        for (picture, output) in pictures.zip(outputs) {
            let mut plain = unfolded.try_as_plain_ram_mut()?;
            let unfolded = plain.as_slice_mut::<f32>()?;
            pool.chunks(unfolded, patches, &|pixel, all| {
                let (channel, y, x) = (pixel / (h * w), pixel / w % h, pixel % w);
                for (row, of_row) in all.chunks_exact_mut(cols).enumerate() {
                    let line = &picture[(channel * height + row * h + y) * width..][..width];
                    let pixels = line[x..].iter().step_by(w);
                    of_row.iter_mut().zip(pixels).for_each(|(to, p)| *to = *p);
                }
            });
            let unfolded = DMatrixView::from_slice(unfolded, patches, pixels);
            let band = k.div_ceil(pool.threads());
            pool.chunks(output, band * patches, &|number, output| {
                let some = output.len() / patches;
                let first = number * band;
                let weights = &weights[first * pixels..][..some * pixels];
                let weights = DMatrixView::from_slice(weights, pixels, some);
                let mut output = DMatrixViewMut::from_slice(output, patches, some);
                for (mut column, bias) in output.column_iter_mut().zip(&bias[first..]) {
                    column.fill(*bias);
                }
                output.gemm(1.0, &unfolded, &weights, 1.0);
            });
        }
        memory::give_back([x, unfolded.into_tvalue()]);
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for PatchEmbedding {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(embedded(
            &inputs[0].shape,
            self.weights.shape()
        )?)))
    }

    as_op!();
}
