//! Attention over heads that lie side by side in a token: the `Attention` operator of opset 23, or
//! the same from `MatMul` and `Softmax`, as most exports write it:
//!
//! ```text
//! query -> Reshape [.., heads, 64] -> Transpose -+
//! key   -> Reshape [.., heads, 64] -> Transpose -+-> MatMul -> Softmax -+
//! value -> Reshape [.., heads, 64] -> Transpose ------------------------+-> MatMul -> Transpose -> Reshape
//! ```
//!
//! with the scale anywhere before `Softmax`. What makes a query may be read by others; the values
//! in between may not.

use andon_kernels::HEAD_WIDTH;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use super::index::{Index, attribute, integer};
use super::nodes::{node, number};
use super::operators::ATTENTION;
use super::{Fused, Replacement};

/// The pattern around the `Softmax` or `Attention` at `position`. `None` when there is none there,
/// `Err` says why it cannot be fused.
pub(super) fn find(index: &Index<'_>, position: usize) -> Option<Result<Replacement, String>> {
    match index.nodes[position].op_type.as_str() {
        "Softmax" => Some(
            around_softmax(index, position)
                .ok_or_else(|| "what surrounds it is not plain attention with heads of 64".into()),
        ),
        "Attention" => Some(operator(index, position)),
        _ => None,
    }
}

/// The operator of opset 23 in its plainest use.
fn operator(index: &Index<'_>, position: usize) -> Result<Replacement, String> {
    let node = &index.nodes[position];
    let heads = integer(node, "q_num_heads", 0);
    let plain = node.input.iter().filter(|i| !i.is_empty()).count() == 3
        && node.input.len() >= 3
        && node.output.iter().skip(1).all(String::is_empty)
        && heads > 0
        && heads == integer(node, "kv_num_heads", 0)
        && integer(node, "is_causal", 0) == 0
        && attribute(node, "softcap").is_none_or(|a| a.f == 0.0);
    if !plain {
        return Err("it is masked, cached, causal, capped, or its heads have an axis".into());
    }
    if width(index, index.input(position, 0)) != Some(heads * HEAD_WIDTH as i64) {
        return Err(format!("its heads are not known to be {HEAD_WIDTH} wide"));
    }
    let scale = attribute(node, "scale").map_or((HEAD_WIDTH as f32).sqrt().recip(), |a| a.f);
    let inputs: Vec<String> = node.input[..3].to_vec();
    Ok(replacement(
        inputs,
        index.output(position),
        vec![position],
        heads,
        scale,
    ))
}

/// Width of the tokens that a layer with a bias gives.
fn width(index: &Index<'_>, value: &str) -> Option<i64> {
    let add = &index.nodes[index.made_by(value, "Add")?];
    let bias = add.input.iter().find_map(|name| index.constant(name))?;
    bias.dims.last().copied()
}

fn around_softmax(index: &Index<'_>, softmax: usize) -> Option<Replacement> {
    let node = &index.nodes[softmax];
    if ![-1, 3].contains(&integer(node, "axis", -1)) {
        return None;
    }
    let mut walk = Walk {
        index,
        nodes: vec![softmax],
        scale: 1.0,
    };
    let logits = walk.unscaled(index.input(softmax, 0))?;
    let product = walk.step_back(logits, "MatMul")?;
    let query = walk.heads(index.input(product, 0), &[0, 2, 1, 3])?;
    let key = walk.heads(index.input(product, 1), &[0, 2, 3, 1])?;
    let mixed = index.read_only_by(index.output(softmax), "MatMul")?;
    if index.input(mixed, 0) != index.output(softmax) {
        return None;
    }
    let scale = walk.scale;
    let value = walk.heads(index.input(mixed, 1), &[0, 2, 1, 3])?;
    let mut apart = mixed;
    // Some exports say once more what shape it has.
    if let Some(again) = index.read_only_by(index.output(mixed), "Reshape") {
        let heads = [-1, query.heads];
        let same = match index.integers(index.input(again, 1))?[..] {
            [1, h, tokens, width] => {
                heads.contains(&h)
                    && tokens == query.tokens
                    && tokens > 0
                    && width == HEAD_WIDTH as i64
            }
            _ => false,
        };
        if !same {
            return None;
        }
        walk.nodes.push(again);
        apart = again;
    }
    let joined = index.read_only_by(index.output(apart), "Transpose")?;
    let flat = index.read_only_by(index.output(joined), "Reshape")?;
    let same_heads = query.heads == key.heads && query.heads == value.heads;
    let rejoined = index.permutation(joined) == [0, 2, 1, 3]
        && match index.integers(index.input(flat, 1))?[..] {
            // The kernel gives three axes, batch, tokens, width: so must this.
            [_, _, width] => width == -1 || width == query.heads * HEAD_WIDTH as i64,
            _ => false,
        };
    // A scale on the values is none of the logits.
    if !same_heads || !rejoined || walk.scale != scale {
        return None;
    }
    walk.nodes.extend([mixed, joined, flat]);
    Some(replacement(
        vec![query.source, key.source, value.source],
        index.output(flat),
        walk.nodes,
        query.heads,
        scale,
    ))
}

/// Where the heads of an operand come from.
struct Heads {
    /// `[batch, tokens, heads * 64]`.
    source: String,
    /// As the graph says it: 0 is as many as there are.
    tokens: i64,
    heads: i64,
}

/// A way back through a graph, gathering nodes and the scale of the logits.
struct Walk<'a> {
    index: &'a Index<'a>,
    nodes: Vec<usize>,
    scale: f32,
}

impl<'a> Walk<'a> {
    /// The maker of `value`, which nobody but the way here may read.
    fn step_back(&mut self, value: &str, operator: &str) -> Option<usize> {
        let maker = self.index.made_by(value, operator)?;
        if self.index.readers(value)?.len() != 1 {
            return None;
        }
        self.nodes.push(maker);
        Some(maker)
    }

    /// Walks back over multiplications and divisions by a constant.
    fn unscaled(&mut self, value: &'a str) -> Option<&'a str> {
        let mut value = value;
        loop {
            let multiplied = self.index.made_by(value, "Mul");
            let divided = self.index.made_by(value, "Div");
            let Some(maker) = multiplied.or(divided) else {
                return Some(value);
            };
            let [a, b] = &self.index.nodes[maker].input[..] else {
                return Some(value);
            };
            let (from, factor) = match (self.index.scalar(a), self.index.scalar(b)) {
                (None, Some(factor)) if divided.is_some() => (b, 1.0 / factor),
                (None, Some(factor)) => (b, factor),
                (Some(factor), None) if multiplied.is_some() => (a, factor),
                _ => return Some(value),
            };
            let from = if from == a { b } else { a };
            // What others read as well must stay.
            let alone = self.index.readers(value).is_some_and(|r| r.len() == 1);
            if !factor.is_finite() || !alone {
                return Some(value);
            }
            self.scale *= factor;
            self.nodes.push(maker);
            value = from;
        }
    }

    /// Walks back over the split into heads of 64, with the scale before, between or behind.
    fn heads(&mut self, value: &'a str, order: &[i64]) -> Option<Heads> {
        let value = self.unscaled(value)?;
        let transpose = self.step_back(value, "Transpose")?;
        if self.index.permutation(transpose) != order {
            return None;
        }
        let split = self.unscaled(self.index.input(transpose, 0))?;
        let reshape = self.step_back(split, "Reshape")?;
        let shape = self.index.integers(self.index.input(reshape, 1))?;
        if integer(&self.index.nodes[reshape], "allowzero", 0) != 0 && shape.contains(&0) {
            return None;
        }
        let before = self.index.input(reshape, 0);
        let (tokens, heads) = match shape[..] {
            [0 | 1, tokens, heads, width] if width == HEAD_WIDTH as i64 => (tokens, heads),
            _ => return None,
        };
        let heads = match heads {
            // Whatever is left of the width.
            -1 => width(self.index, before)? / HEAD_WIDTH as i64,
            heads => heads,
        };
        if heads < 1 {
            return None;
        }
        let source = self.unscaled(before)?;
        Some(Heads {
            source: source.to_owned(),
            tokens,
            heads,
        })
    }
}

fn replacement(
    input: Vec<String>,
    output: &str,
    nodes: Vec<usize>,
    heads: i64,
    scale: f32,
) -> Replacement {
    let scale = AttributeProto {
        name: "scale".into(),
        r#type: AttributeType::Float as i32,
        f: scale,
        ..Default::default()
    };
    Replacement {
        fused: Fused {
            name: output.to_owned(),
            what: format!("attention of {heads} heads"),
            nodes: nodes.len(),
        },
        by: NodeProto {
            input,
            attribute: vec![number("heads", heads), scale],
            ..node(ATTENTION, &[], output)
        },
        nodes,
        constants: Vec::new(),
    }
}
