//! `Conv` whose windows lie side by side: the embedding of patches.

use super::index::{Index, attribute, integer};
use super::operators::PATCHES;
use super::{Fused, Replacement};

/// The operator at `position`. `None` when it is another one, `Err` says why it cannot be fused.
pub(super) fn find(index: &Index<'_>, position: usize) -> Option<Result<Replacement, String>> {
    let node = &index.nodes[position];
    if node.op_type != "Conv" {
        return None;
    }
    let list = |name| attribute(node, name).map_or(&[][..], |a| &a.ints[..]);
    let refuse = |reason: &str| Some(Err(reason.into()));
    let (weights, bias) = (index.input(position, 1), index.input(position, 2));
    let Some(&[channels, _, height, width]) =
        index.constant(weights).map(|tensor| &tensor.dims[..])
    else {
        return refuse("its weights are not constant, or not those of pictures");
    };
    if list("strides") != [height, width] {
        return refuse("its windows overlap or leave gaps");
    }
    let padded = attribute(node, "auto_pad").is_some_and(|a| a.s != b"NOTSET" && a.s != b"VALID");
    if padded || list("pads").iter().any(|pad| *pad != 0) {
        return refuse("it pads the picture");
    }
    if list("dilations").iter().any(|step| *step != 1) || integer(node, "group", 1) != 1 {
        return refuse("its windows do not see all of a patch");
    }
    let biases = index.floats(bias).map(|bias| bias.len() as i64);
    if index.floats(weights).is_none() || biases != Some(channels) {
        return refuse("its weights and bias are not constant floats");
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
