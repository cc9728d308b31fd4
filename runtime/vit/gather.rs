//! Leaving patches out: only the class tokens and the kept patches go on into the first block.
//!
//! The place is found by what it is, not by a name: the sum of patch embedding and position
//! embedding is the first value that holds all tokens with all that they carry, and from there on
//! attention alone lets tokens see each other. The patches that are left out are not seen by it.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::Kept;
use super::fuse::has_control_flow;

/// Inserts the choice of tokens behind the sum of `position`, an initialiser `[1, class_tokens +
/// patches, dim]`, and the patch embedding; `Err` says in words why the place is not there.
pub(super) fn gather(
    graph: &mut GraphProto,
    position: &str,
    class_tokens: usize,
    kept: &Kept,
) -> Result<(), String> {
    let unknown = |why: &str| format!("patches cannot be left out of this network: {why}");
    if has_control_flow(graph) {
        // A body may read any value of the graph around it without saying so in its inputs.
        return Err(unknown("it has loops or branches"));
    }
    let mut readers = graph.node.iter().enumerate().filter(|(_, node)| {
        let inputs = node.input.iter();
        inputs.filter(|input| *input == position).count() > 0
    });
    let (Some((at, sum)), None) = (readers.next(), readers.next()) else {
        return Err(unknown(
            "its position embedding is not used in exactly one place",
        ));
    };
    let (2, [tokens]) = (sum.input.len(), &sum.output[..]) else {
        return Err(unknown("its position embedding is not simply added"));
    };
    if sum.op_type != "Add" || sum.input[0] == sum.input[1] {
        return Err(unknown("its position embedding is not simply added"));
    }
    if graph.output.iter().any(|output| output.name == *tokens) {
        return Err(unknown("the tokens before its first block are tapped"));
    }
    let tokens = tokens.clone();
    let chosen = format!("{tokens}.kept");
    let places = format!("{tokens}.places");
    for input in graph.node.iter_mut().flat_map(|node| &mut node.input) {
        if *input == tokens {
            input.clone_from(&chosen);
        }
    }
    let node = NodeProto {
        op_type: "Gather".into(),
        name: chosen.clone(),
        input: vec![tokens, places.clone()],
        output: vec![chosen],
        attribute: vec![AttributeProto {
            name: "axis".into(),
            r#type: AttributeType::Int as i32,
            i: 1,
            ..Default::default()
        }],
        ..Default::default()
    };
    // Behind the sum and before all that reads it, as ONNX wants.
    graph.node.insert(at + 1, node);
    let patches = kept.patches().iter().map(|patch| class_tokens + patch);
    let tokens: Vec<i64> = (0..class_tokens).chain(patches).map(|t| t as i64).collect();
    graph.initializer.push(TensorProto {
        name: places,
        dims: vec![tokens.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: tokens,
        ..Default::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vit::Grid;

    /// `(operator, inputs, output)` of each node.
    fn graph(nodes: &[(&str, &[&str], &str)]) -> GraphProto {
        let node = |(operator, inputs, output): &(&str, &[&str], &str)| NodeProto {
            op_type: operator.to_string(),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.to_string()],
            ..Default::default()
        };
        GraphProto {
            node: nodes.iter().map(node).collect(),
            ..Default::default()
        }
    }

    fn kept() -> Kept {
        Kept::new(Grid { rows: 2, cols: 2 }, |patch| *patch % 2 == 1).unwrap()
    }

    #[test]
    fn everything_behind_the_sum_reads_class_tokens_and_kept_patches_only() {
        let mut graph = graph(&[
            ("Concat", &["class", "patches"], "all"),
            ("Add", &["places", "all"], "sum"),
            ("LayerNormalization", &["sum", "scale", "offset"], "normed"),
            ("Add", &["sum", "normed"], "tokens"),
        ]);
        gather(&mut graph, "places", 2, &kept()).unwrap();
        let inputs: Vec<_> = graph.node.iter().map(|node| &node.input[0]).collect();
        assert_eq!(inputs, ["class", "places", "sum", "sum.kept", "sum.kept"]);
        assert_eq!(graph.node[2].op_type, "Gather");
        assert_eq!(graph.initializer[0].int64_data, [0, 1, 3, 5]);
    }

    #[test]
    fn a_graph_that_adds_no_position_embedding_in_one_place_is_refused_in_words() {
        let sum: (&str, &[&str], &str) = ("Add", &["all", "places"], "sum");
        let twice: (&str, &[&str], &str) = ("Add", &["sum", "places"], "again");
        let product: (&str, &[&str], &str) = ("Mul", &["all", "places"], "sum");
        let doubled: (&str, &[&str], &str) = ("Add", &["places", "places"], "sum");
        let refused = |mut graph: GraphProto, word: &str| {
            let reason = gather(&mut graph, "places", 1, &kept()).unwrap_err();
            assert!(reason.contains(word), "{reason}");
        };
        refused(graph(&[]), "exactly one place");
        refused(graph(&[sum, twice]), "exactly one place");
        refused(graph(&[product]), "simply added");
        refused(graph(&[doubled]), "simply added");
        let mut tapped = graph(&[sum]);
        tapped.output.push(tract_onnx::pb::ValueInfoProto {
            name: "sum".into(),
            ..Default::default()
        });
        refused(tapped, "tapped");
        let mut branches = graph(&[sum]);
        branches.node[0].attribute.push(AttributeProto {
            g: Some(GraphProto::default()),
            ..Default::default()
        });
        refused(branches, "branches");
    }
}
