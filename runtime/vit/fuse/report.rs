use std::collections::BTreeMap;
use std::fmt;

use tract_onnx::pb::{GraphProto, ModelProto};

use super::operators;
use crate::vit::ModelError;

/// An operator that stands for several nodes of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fused {
    /// Name of the value that it gives, as in the file.
    pub name: String,
    /// What it does, for example `int8 linear + bias + GELU`.
    pub what: String,
    /// How many nodes of the file it stands for.
    pub nodes: usize,
}

/// Something that looks like a pattern and was not fused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Name of the node in the file.
    pub what: String,
    /// Why not.
    pub reason: String,
}

/// What the pass for fused operators made of a graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FuseReport {
    /// Fused operators by kind, then in the order of the graph.
    pub fused: Vec<Fused>,
    /// What nearly matched.
    pub left: Vec<Left>,
    /// Operators that run through the engine as they are, and how many of each.
    pub unchanged: BTreeMap<String, usize>,
}

impl FuseReport {
    pub(super) fn new(fused: Vec<Fused>, left: Vec<Left>, graph: &GraphProto) -> Self {
        let mut unchanged = BTreeMap::new();
        for node in &graph.node {
            if !operators::ALL.contains(&node.op_type.as_str()) {
                *unchanged.entry(node.op_type.clone()).or_default() += 1;
            }
        }
        Self {
            fused,
            left,
            unchanged,
        }
    }

    /// The report on a graph whose fused form the engine did not take.
    pub(in crate::vit) fn refused(model: &ModelProto, reason: &ModelError) -> Self {
        let left = Left {
            what: "whole graph".into(),
            reason: reason.to_string(),
        };
        let graph = model.graph.as_ref();
        graph.map_or_else(Self::default, |graph| Self::new(vec![], vec![left], graph))
    }

    /// How many fused operators do what, for example 24 times `layer norm`.
    pub fn summary(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for fused in &self.fused {
            *counts.entry(fused.what.as_str()).or_default() += 1;
        }
        counts
    }
}

impl fmt::Display for FuseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "fused")?;
        for (what, count) in self.summary() {
            writeln!(f, "  {count:4} x {what}")?;
        }
        if self.fused.is_empty() {
            writeln!(f, "  nothing")?;
        }
        writeln!(f, "run as they are")?;
        for (operator, count) in &self.unchanged {
            writeln!(f, "  {count:4} x {operator}")?;
        }
        if !self.left.is_empty() {
            writeln!(f, "not fused, although alike")?;
            for left in &self.left {
                writeln!(f, "  {}: {}", left.what, left.reason)?;
            }
        }
        Ok(())
    }
}
