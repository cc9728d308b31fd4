//! `LayerNormalization` over the last axis.

use super::index::{Index, integer};
use super::operators::NORM;
use super::{Fused, Replacement};

/// The operator at `position`. `None` when it is another one, `Err` says why it cannot be fused.
pub(super) fn find(index: &Index<'_>, position: usize) -> Option<Result<Replacement, String>> {
    let node = &index.nodes[position];
    if node.op_type != "LayerNormalization" {
        return None;
    }
    if integer(node, "axis", -1) != -1 {
        return Some(Err("it does not normalise over the last axis alone".into()));
    }
    if integer(node, "stash_type", 1) != 1 || node.output.iter().skip(1).any(|o| !o.is_empty()) {
        return Some(Err("it gives more than the normalised values".into()));
    }
    let constant = |number| index.floats(index.input(position, number)).is_some();
    if node.input.len() != 3 || !constant(1) || !constant(2) {
        return Some(Err("its scale and offset are not constant floats".into()));
    }
    let mut by = node.clone();
    by.op_type = NORM.into();
    Some(Ok(Replacement {
        fused: Fused {
            name: index.output(position).into(),
            what: "layer norm".into(),
            nodes: 1,
        },
        nodes: vec![position],
        by,
        constants: Vec::new(),
    }))
}
