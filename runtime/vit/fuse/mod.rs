//! Replaces what a vision transformer spends its time on by fused operators.
//!
//! The pass reads the ONNX graph *before* the engine does, because there the int8 weights are
//! still integers: the engine would turn them into floats at once. Each pattern has a file of its
//! own and names nodes by the words of the ONNX standard, so that any graph that uses them is
//! served. Whatever matches no pattern stays as it is and runs through `tract` unchanged; the
//! [`FuseReport`] says what that was.

mod attention;
mod gelu;
mod index;
mod linear;
mod nodes;
mod norm;
mod operators;
mod patches;
mod report;
mod simplify;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use andon_kernels::Isa;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

pub use report::{FuseReport, Fused, Left};

pub(super) use index::has_control_flow;
pub(super) use operators::{on_pool, register};
pub(super) use patches::windows;

use super::graph::drop_unneeded;
use index::Index;

/// Nodes that one new node takes the place of.
struct Replacement {
    /// Positions of the nodes that go away. Nobody else reads what they make.
    nodes: Vec<usize>,
    /// Takes the place of the last of them.
    by: NodeProto,
    /// Constants that the new node needs beside those that the graph has.
    constants: Vec<TensorProto>,
    /// For the report.
    fused: Fused,
}

/// `model` with fused operators, without what `outputs` do not need, and what was done.
pub(super) fn fuse(mut model: ModelProto, outputs: &[String]) -> (ModelProto, FuseReport) {
    let Some(graph) = model.graph.as_mut() else {
        return (model, FuseReport::default());
    };
    let mut left = Vec::new();
    let mut refuse = |reason: &str| {
        left.push(Left {
            what: "whole graph".into(),
            reason: reason.into(),
        });
        Vec::new()
    };
    let replacements = if Isa::detect() == Isa::Portable {
        // The portable kernels are a reference to test against, and slower than the engine.
        refuse("there are no kernels for this kind of processor")
    } else if index::has_control_flow(graph) {
        // A body may read any value of the graph around it without saying so in its inputs.
        refuse("it has loops or branches")
    } else {
        simplify::simplify(graph, outputs);
        find(&Index::new(graph), &mut left)
    };
    let fused = replacements.iter().map(|r| r.fused.clone()).collect();
    apply(graph, replacements);
    drop_unneeded(graph, outputs);
    let report = FuseReport::new(fused, left, graph);
    (model, report)
}

/// All replacements, no two of which share a node.
fn find(index: &Index<'_>, left: &mut Vec<Left>) -> Vec<Replacement> {
    let mut claimed = HashSet::new();
    let mut found: Vec<Replacement> = Vec::new();
    let patterns = [attention::find, norm::find, linear::find, patches::find];
    for pattern in patterns {
        for position in 0..index.nodes.len() {
            match pattern(index, position) {
                None => {}
                Some(Err(reason)) => left.push(Left {
                    what: index.nodes[position].name.clone(),
                    reason,
                }),
                Some(Ok(new)) => {
                    if new.nodes.iter().all(|node| !claimed.contains(node)) {
                        claimed.extend(new.nodes.iter().copied());
                        found.push(new);
                    } else {
                        left.push(Left {
                            what: index.nodes[position].name.clone(),
                            reason: "another fused operator has taken a part of it".into(),
                        });
                    }
                }
            }
        }
    }
    found
}

fn apply(graph: &mut GraphProto, replacements: Vec<Replacement>) {
    let mut gone = HashSet::new();
    let mut new = HashMap::new();
    for replacement in replacements {
        // Everything that the new node reads is made before the last of the old ones, and
        // everything that reads the new one comes after it.
        let Some(last) = replacement.nodes.iter().max() else {
            continue;
        };
        new.insert(*last, replacement.by);
        gone.extend(replacement.nodes);
        graph.initializer.extend(replacement.constants);
    }
    graph.node = std::mem::take(&mut graph.node)
        .into_iter()
        .enumerate()
        .filter_map(|(position, node)| match new.remove(&position) {
            Some(by) => Some(by),
            None => (!gone.contains(&position)).then_some(node),
        })
        .collect();
}
