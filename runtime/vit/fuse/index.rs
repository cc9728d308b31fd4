//! Who makes and who reads which value of a graph, and the constants in it.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// A graph that can be walked both ways. Positions are those in the list of nodes.
pub(super) struct Index<'a> {
    pub nodes: &'a [NodeProto],
    makers: HashMap<&'a str, usize>,
    readers: HashMap<&'a str, Vec<usize>>,
    constants: HashMap<&'a str, &'a TensorProto>,
    outputs: HashSet<&'a str>,
}

/// Whether a node of the graph has a body of its own.
pub(in crate::vit) fn has_control_flow(graph: &GraphProto) -> bool {
    let mut attributes = graph.node.iter().flat_map(|node| &node.attribute);
    attributes.any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty())
}

impl<'a> Index<'a> {
    pub fn new(graph: &'a GraphProto) -> Self {
        let mut index = Self {
            nodes: &graph.node,
            makers: HashMap::new(),
            readers: HashMap::new(),
            constants: HashMap::new(),
            outputs: graph.output.iter().map(|o| o.name.as_str()).collect(),
        };
        let initializers = graph.initializer.iter();
        index
            .constants
            .extend(initializers.map(|t| (t.name.as_str(), t)));
        for (position, node) in graph.node.iter().enumerate() {
            for input in node.input.iter().filter(|name| !name.is_empty()) {
                index.readers.entry(input).or_default().push(position);
            }
            for output in &node.output {
                index.makers.insert(output, position);
            }
            if let ("Constant", [output]) = (node.op_type.as_str(), &node.output[..])
                && let Some(value) = attribute(node, "value").and_then(|a| a.t.as_ref())
            {
                index.constants.insert(output, value);
            }
        }
        index
    }

    /// The node that makes a value, if it is one of `operator`.
    pub fn made_by(&self, value: &str, operator: &str) -> Option<usize> {
        let position = *self.makers.get(value)?;
        (self.nodes[position].op_type == operator).then_some(position)
    }

    /// The nodes that read a value, once for each time they read it; `None` for an output of the
    /// graph, which others read as well.
    pub fn readers(&self, value: &str) -> Option<&[usize]> {
        if self.outputs.contains(value) {
            return None;
        }
        Some(self.readers.get(value).map_or(&[][..], Vec::as_slice))
    }

    /// The one node that reads a value, if nobody else does and it is one of `operator`.
    pub fn read_only_by(&self, value: &str, operator: &str) -> Option<usize> {
        match self.readers(value)? {
            [position] if self.nodes[*position].op_type == operator => Some(*position),
            _ => None,
        }
    }

    /// The one output of a node.
    pub fn output(&self, position: usize) -> &'a str {
        self.nodes[position].output.first().map_or("", |o| o)
    }

    /// Input number `number` of a node, or "".
    pub fn input(&self, position: usize, number: usize) -> &'a str {
        self.nodes[position].input.get(number).map_or("", |i| i)
    }

    /// The input of a node with two inputs that is not `value`.
    pub fn other_input(&self, position: usize, value: &str) -> Option<&'a str> {
        match &self.nodes[position].input[..] {
            [a, b] if a == value && b != value => Some(b),
            [a, b] if b == value && a != value => Some(a),
            _ => None,
        }
    }

    /// The order of axes that a `Transpose` gives; empty where it only says to turn it round.
    pub fn permutation(&self, transpose: usize) -> &'a [i64] {
        attribute(&self.nodes[transpose], "perm").map_or(&[], |perm| &perm.ints)
    }

    /// A constant tensor.
    pub fn constant(&self, value: &str) -> Option<&'a TensorProto> {
        self.constants.get(value).copied()
    }

    /// A constant of floats.
    pub fn floats(&self, value: &str) -> Option<Vec<f32>> {
        let tensor = self.constant(value)?;
        if tensor.data_type != DataType::Float as i32 {
            return None;
        }
        let values = if tensor.float_data.is_empty() {
            let (values, _) = tensor.raw_data.as_chunks::<4>();
            values.iter().map(|b| f32::from_le_bytes(*b)).collect()
        } else {
            tensor.float_data.clone()
        };
        (values.len() == elements(tensor)?).then_some(values)
    }

    /// A constant that is one float.
    pub fn scalar(&self, value: &str) -> Option<f32> {
        match self.floats(value)?[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// A constant list of integers.
    pub fn integers(&self, value: &str) -> Option<Vec<i64>> {
        let tensor = self.constant(value)?;
        if tensor.data_type != DataType::Int64 as i32 {
            return None;
        }
        if !tensor.int64_data.is_empty() {
            return Some(tensor.int64_data.clone());
        }
        let (values, _) = tensor.raw_data.as_chunks::<8>();
        Some(values.iter().map(|b| i64::from_le_bytes(*b)).collect())
    }
}

/// Number of values that the dimensions of a tensor promise.
pub(super) fn elements(tensor: &TensorProto) -> Option<usize> {
    tensor.dims.iter().try_fold(1usize, |product, side| {
        product.checked_mul(usize::try_from(*side).ok()?)
    })
}

/// An attribute of a node.
pub(super) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|a| a.name == name)
}

/// An integer attribute of a node, or its default.
pub(super) fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).map_or(default, |a| a.i)
}
