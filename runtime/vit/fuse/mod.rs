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
mod norm;
mod operators;
mod report;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

pub use report::{FuseReport, Fused, Left};

pub(super) use operators::register;

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

/// Rewrites `graph` and says what was done. Dequantised weights that nobody reads any more are
/// left in it: the caller drops what its outputs do not need.
pub(super) fn fuse(graph: &mut GraphProto) -> FuseReport {
    let mut left = Vec::new();
    let replacements = if index::has_control_flow(graph) {
        // A body may read any value of the graph around it without saying so in its inputs.
        left.push(Left {
            what: "whole graph".into(),
            reason: "it has loops or branches".into(),
        });
        Vec::new()
    } else {
        find(&Index::new(graph), &mut left)
    };
    let fused = replacements.iter().map(|r| r.fused.clone()).collect();
    apply(graph, replacements);
    FuseReport::new(fused, left, graph)
}

/// All replacements, no two of which share a node.
fn find(index: &Index<'_>, left: &mut Vec<Left>) -> Vec<Replacement> {
    let mut claimed = HashSet::new();
    let mut found: Vec<Replacement> = Vec::new();
    let patterns = [attention::find, norm::find, linear::find];
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
