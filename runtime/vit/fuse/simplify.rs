//! Exporters and quantisers write the same layers in many ways. These rewritings bring what `torch`,
//! `timm`, `transformers` and ONNX Runtime write to the few forms that the patterns know. All but the
//! first keep what the graph computes:
//!
//! - Activations that are rounded to integers and back are left as they are: the fused operators round
//!   them themselves, by token. So are they where `MatMulInteger` rounds them.
//! - `Identity`, and what guards `Softmax` against rows without a number, go away.
//! - Two transpositions become one, also where a reshape on either side hides the second.
//! - Query, key and value that one layer gives side by side are split before, not behind, the
//!   division into heads.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::drop_unneeded;
use super::index::{Index, integer};
use super::nodes::{integers, node, number, transposition};

/// Rewrites what `outputs` need until nothing changes.
pub(super) fn simplify(graph: &mut GraphProto, outputs: &[String]) {
    // Each round makes the graph simpler; the limit is only against a mistake in here.
    for _ in 0..graph.node.len() {
        let change = Change::find(&Index::new(graph));
        if change.is_empty() {
            break;
        }
        change.apply(graph);
        // What nobody needs any more still reads, and what is read by two stays.
        drop_unneeded(graph, outputs);
    }
}

/// What one round does.
#[derive(Default)]
struct Change {
    /// Values that are the same as others.
    aliases: HashMap<String, String>,
    /// New nodes in the places of old ones.
    nodes: HashMap<usize, Vec<NodeProto>>,
    constants: Vec<TensorProto>,
}

impl Change {
    fn find(index: &Index<'_>) -> Self {
        let mut change = Self::default();
        for position in 0..index.nodes.len() {
            let node = &index.nodes[position];
            let value = index.output(position);
            if index.readers(value).is_none() {
                // Others know an output of the graph by its name.
                continue;
            }
            if let Some(same) = same_as(index, position) {
                change.aliases.insert(value.to_owned(), same.to_owned());
                continue;
            }
            match node.op_type.as_str() {
                "MatMulInteger" => change.product_of_integers(index, position),
                "Reshape" => change.hidden_transposition(index, position),
                "Transpose" => {
                    change.two_transpositions(index, position);
                    change.side_by_side(index, position);
                }
                _ => {}
            }
            if !change.nodes.is_empty() {
                // One at a time: what was found next may be about nodes that have just changed.
                break;
            }
        }
        change
    }

    fn is_empty(&self) -> bool {
        self.aliases.is_empty() && self.nodes.is_empty()
    }

    fn apply(self, graph: &mut GraphProto) {
        let Self {
            aliases,
            mut nodes,
            constants,
        } = self;
        graph.initializer.extend(constants);
        graph.node = std::mem::take(&mut graph.node)
            .into_iter()
            .enumerate()
            .flat_map(|(position, node)| nodes.remove(&position).unwrap_or_else(|| vec![node]))
            .filter(|node| !node.output.iter().any(|o| aliases.contains_key(o)))
            .collect();
        for input in graph.node.iter_mut().flat_map(|node| &mut node.input) {
            // Chains end: a value is made after what it is the same as.
            while let Some(same) = aliases.get(input) {
                input.clone_from(same);
            }
        }
    }

    /// `DynamicQuantizeLinear`, `MatMulInteger`, `Cast` and `Mul`, as dynamic quantisation writes a
    /// product, become a product with dequantised weights.
    fn product_of_integers(&mut self, index: &Index<'_>, position: usize) {
        let found = (|| {
            let quantise = index.made_by(index.input(position, 0), "DynamicQuantizeLinear")?;
            let weights = index.input(position, 1);
            index.constant(weights)?;
            let cast = index.read_only_by(index.output(position), "Cast")?;
            let scaled = index.read_only_by(index.output(cast), "Mul")?;
            let scale = index.other_input(scaled, index.output(cast))?;
            let scale = index.made_by(scale, "Mul")?;
            let of_x = index.nodes[quantise].output.get(1)?;
            let of_weights = index.other_input(scale, of_x)?;
            index.floats(of_weights)?;
            let to_float = integer(&index.nodes[cast], "to", 0) == DataType::Float as i64;
            to_float.then_some((index.input(quantise, 0), weights, of_weights, scaled))
        })();
        let Some((x, weights, scales, scaled)) = found else {
            return;
        };
        let output = index.output(scaled);
        let floats = format!("{output}.weights");
        let mut dequantise = node("DequantizeLinear", &[weights, scales], &floats);
        let zero = index.input(position, 3);
        if !zero.is_empty() {
            dequantise.input.push(zero.to_owned());
        }
        dequantise.attribute.push(number("axis", 1));
        let product = node("MatMul", &[x, &floats], output);
        self.nodes.insert(scaled, vec![dequantise, product]);
        self.nodes.insert(position, Vec::new());
    }

    /// `[.., heads, tokens, width]` flattened to three axes, transposed, and unfolded again.
    fn hidden_transposition(&mut self, index: &Index<'_>, unfold: usize) {
        let found = (|| {
            let transpose = index.made_by(index.input(unfold, 0), "Transpose")?;
            let flatten = index.made_by(index.input(transpose, 0), "Reshape")?;
            let value = index.input(flatten, 0);
            let four = index
                .made_by(value, "Transpose")
                .is_some_and(|t| index.permutation(t).len() == 4);
            let (flat, full) = (shape(index, flatten)?, shape(index, unfold)?);
            let fits = match (&flat[..], &full[..]) {
                ([-1, tokens, width], [1, heads, w, t]) => {
                    *heads > 0 && t == tokens && w == width && *tokens > 0
                }
                _ => false,
            };
            (four && fits && index.permutation(transpose) == [0, 2, 1]).then_some(value)
        })();
        if let Some(value) = found {
            let by = transposition(value, index.output(unfold), &[0, 1, 3, 2]);
            self.nodes.insert(unfold, vec![by]);
        }
    }

    fn two_transpositions(&mut self, index: &Index<'_>, position: usize) {
        let Some(first) = index.made_by(index.input(position, 0), "Transpose") else {
            return;
        };
        let (first_order, order) = (index.permutation(first), index.permutation(position));
        let both: Option<Vec<i64>> = order
            .iter()
            .map(|axis| first_order.get(usize::try_from(*axis).ok()?).copied())
            .collect();
        if let Some(both) = both.filter(|both| both.len() == first_order.len()) {
            let by = transposition(index.input(first, 0), index.output(position), &both);
            self.nodes.insert(position, vec![by]);
        }
    }

    /// `[batch, tokens, 3, heads, width]`, the third axis brought to the front and taken apart.
    fn side_by_side(&mut self, index: &Index<'_>, position: usize) {
        if index.permutation(position) != [2, 0, 3, 1, 4] {
            return;
        }
        let found = (|| {
            let reshape = index.made_by(index.input(position, 0), "Reshape")?;
            let shape = shape(index, reshape)?;
            let [batch, tokens, 3, heads, width] = shape[..] else {
                return None;
            };
            if heads < 1 || width < 1 {
                return None;
            }
            let parts = parts(index, index.output(position))?;
            Some((reshape, [batch, tokens, heads, width], parts))
        })();
        let Some((reshape, shape, parts)) = found else {
            return;
        };
        let name = index.output(position);
        let sizes = format!("{name}.sizes");
        let heads = format!("{name}.heads");
        self.constants
            .push(integers(&sizes, &[shape[2] * shape[3]; 3]));
        self.constants.push(integers(&heads, &shape));
        let flat: Vec<String> = (0..3).map(|part| format!("{name}.{part}")).collect();
        let mut split = node("Split", &[index.input(reshape, 0), &sizes], &flat[0]);
        split.output.clone_from(&flat);
        split.attribute.push(number("axis", 2));
        let mut new = vec![split];
        for (part, squeeze) in parts {
            let value = index.output(squeeze);
            let divided = format!("{value}.divided");
            new.push(node("Reshape", &[&flat[part], &heads], &divided));
            new.push(transposition(&divided, value, &[0, 2, 1, 3]));
            self.nodes.insert(squeeze, Vec::new());
        }
        self.nodes.insert(position, new);
    }
}

/// What a node gives, if that is a value that there is already.
fn same_as<'a>(index: &Index<'a>, position: usize) -> Option<&'a str> {
    let input = |number| index.input(position, number);
    match index.nodes[position].op_type.as_str() {
        "Identity" => Some(input(0)),
        "DequantizeLinear" => {
            let quantise = index.made_by(input(0), "QuantizeLinear")?;
            let same = (1..3).all(|n| input(n) == index.input(quantise, n));
            let value = index.input(quantise, 0);
            (same && index.constant(value).is_none()).then_some(value)
        }
        // Softmax of a row that a mask hides is none; without a mask there is no such row.
        "Where" => {
            let asked = index.made_by(input(0), "IsNaN")?;
            let softmax = index.made_by(input(2), "Softmax")?;
            let logits = index.input(softmax, 0);
            ["MatMul", "Mul", "Div"]
                .iter()
                .find_map(|operator| index.made_by(logits, operator))?;
            let guards = index.input(asked, 0) == input(2) && index.scalar(input(1)) == Some(0.0);
            guards.then(|| input(2))
        }
        // A mask that hides nothing.
        "Add" => {
            index.read_only_by(index.output(position), "Softmax")?;
            let none = |value| {
                let for_all_heads = |mask: &TensorProto| matches!(mask.dims[..], [1, 1, _, _]);
                let nothing = |values: Vec<f32>| values.iter().all(|v| *v == 0.0);
                index.constant(value).is_some_and(for_all_heads)
                    && index.floats(value).is_some_and(nothing)
            };
            match (none(input(0)), none(input(1))) {
                (false, true) => Some(input(0)),
                (true, false) => Some(input(1)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What takes `value` apart along its first axis of three: for each part the `Squeeze` behind.
fn parts(index: &Index<'_>, value: &str) -> Option<Vec<(usize, usize)>> {
    let mut parts = Vec::new();
    for &reader in index.readers(value)? {
        let taker = &index.nodes[reader];
        let outputs: Vec<(usize, &str)> = match taker.op_type.as_str() {
            "Slice" => {
                let list = |number| index.integers(index.input(reader, number));
                let step = index.input(reader, 4);
                let whole_steps = step.is_empty() || list(4)? == [1];
                let (start, end) = (list(1)?, list(2)?);
                let [start] = start[..] else { return None };
                if end != [start + 1] || list(3)? != [0] || !whole_steps {
                    return None;
                }
                vec![(usize::try_from(start).ok()?, index.output(reader))]
            }
            "Split" if integer(taker, "axis", 0) == 0 && taker.output.len() == 3 => taker
                .output
                .iter()
                .map(String::as_str)
                .enumerate()
                .collect(),
            _ => return None,
        };
        for (part, output) in outputs {
            let squeeze = index.read_only_by(output, "Squeeze")?;
            let axes = index.integers(index.input(squeeze, 1))?;
            if part > 2 || axes != [0] || index.readers(index.output(squeeze)).is_none() {
                return None;
            }
            parts.push((part, squeeze));
        }
    }
    let once: HashSet<_> = parts.iter().map(|(_, squeeze)| squeeze).collect();
    (once.len() == parts.len() && !parts.is_empty()).then_some(parts)
}

fn shape(index: &Index<'_>, reshape: usize) -> Option<Vec<i64>> {
    index.integers(index.input(reshape, 1))
}
