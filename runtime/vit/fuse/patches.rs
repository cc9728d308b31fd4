//! `Conv` whose windows lie side by side: the embedding of patches.

use tract_onnx::pb::{NodeProto, TensorProto};

use super::index::{Index, attribute, integer};
use super::operators::PATCHES;
use super::{Fused, Replacement};

/// Height and width of the windows of `node`, a convolution with these weights, which lie side by side:
/// each patch is seen alone and whole. `Err` says why they do not.
pub(in crate::vit) fn windows(
    node: &NodeProto,
    weights: Option<&TensorProto>,
) -> Result<[i64; 2], &'static str> {
    let list = |name| attribute(node, name).map_or(&[][..], |a| &a.ints[..]);
    let Some(&[_, _, height, width]) = weights.map(|tensor| &tensor.dims[..]) else {
        return Err("its weights are not constant, or not those of pictures");
    };
    if list("strides") != [height, width] {
        return Err("its windows overlap or leave gaps");
    }
    let padded = attribute(node, "auto_pad").is_some_and(|a| a.s != b"NOTSET" && a.s != b"VALID");
    if padded || list("pads").iter().any(|pad| *pad != 0) {
        return Err("it pads the picture");
    }
    if list("dilations").iter().any(|step| *step != 1) || integer(node, "group", 1) != 1 {
        return Err("its windows do not see all of a patch");
    }
    Ok([height, width])
}

/// The operator at `position`. `None` when it is another one, `Err` says why it cannot be fused.
pub(super) fn find(index: &Index<'_>, position: usize) -> Option<Result<Replacement, String>> {
    let node = &index.nodes[position];
    if node.op_type != "Conv" {
        return None;
    }
    let (weights, bias) = (index.input(position, 1), index.input(position, 2));
    let tensor = index.constant(weights);
    if let Err(reason) = windows(node, tensor) {
        return Some(Err(reason.into()));
    }
    let channels = tensor.and_then(|tensor| tensor.dims.first().copied());
    let biases = index.floats(bias).map(|bias| bias.len() as i64);
    if index.floats(weights).is_none() || biases != channels {
        return Some(Err("its weights and bias are not constant floats".into()));
    }
    let mut by = node.clone();
    by.op_type = PATCHES.into();
    by.attribute.clear();
    Some(Ok(Replacement {
        fused: Fused {
            name: index.output(position).into(),
            what: "patch embedding".into(),
            nodes: 1,
        },
        nodes: vec![position],
        by,
        constants: Vec::new(),
    }))
}
