//! Leaving patches out before anything is computed: the network sees a strip, the kept patches of the
//! picture side by side, and the rows of its position embedding that belong to them.
//!
//! That is the same as choosing tokens behind the patch embedding wherever patches are embedded one
//! by one, without a look beyond their edges, and where they lie is told by a table that is added. So
//! this is asked of the graph first, by what its nodes do and not by their names. Choosing tokens
//! instead would embed all patches: a sixth of the time that a quarter of the picture takes.

use tract_onnx::pb::{GraphProto, NodeProto};

use super::Kept;
use super::fuse::{has_control_flow, windows};

/// Whether a strip serves as the graph's `input`, which `position` tells where patches of `patch`
/// pixels lie; `Err` says in words why not.
pub(super) fn check(
    graph: &GraphProto,
    input: &str,
    position: &str,
    patch: usize,
) -> Result<(), String> {
    let refused = |why: &str| Err(format!("patches cannot be left out of this network: {why}"));
    if has_control_flow(graph) {
        // A body may read any value of the graph around it without saying so in its inputs.
        return refused("it has loops or branches");
    }
    if !only_reader(graph, input).is_some_and(|node| embeds_patches(graph, node, input, patch)) {
        return refused(
            "its input is not embedded by one convolution that steps from patch to patch",
        );
    }
    let added = |node: &NodeProto| {
        let two = matches!(&node.input[..], [one, other] if one != other);
        node.op_type == "Add" && two
    };
    if !only_reader(graph, position).is_some_and(added) {
        return refused("its position embedding is not added in exactly one place");
    }
    Ok(())
}

/// The node that reads `value`, if there is one alone.
fn only_reader<'a>(graph: &'a GraphProto, value: &str) -> Option<&'a NodeProto> {
    let reads = |node: &&NodeProto| node.input.iter().any(|input| input == value);
    let mut readers = graph.node.iter().filter(reads);
    readers.next().filter(|_| readers.next().is_none())
}

/// Whether `node` is a convolution of `input` whose steps and whose kernel are one patch.
fn embeds_patches(graph: &GraphProto, node: &NodeProto, input: &str, patch: usize) -> bool {
    let [picture, weights, ..] = &node.input[..] else {
        return false;
    };
    let weights = graph.initializer.iter().find(|t| t.name == *weights);
    node.op_type == "Conv" && picture == input && windows(node, weights) == Ok([patch as i64; 2])
}

/// The kept patches of `picture`, `[3, height, width]`, side by side: `[3, patch, kept * patch]`.
pub(super) fn strip(picture: &[f32], patch: usize, kept: &Kept) -> Vec<f32> {
    let cols = kept.grid().cols;
    let width = cols * patch;
    let plane = width * kept.grid().rows * patch;
    let mut strip = Vec::with_capacity(3 * patch * patch * kept.patches().len());
    for plane in picture.chunks_exact(plane) {
        for y in 0..patch {
            for place in kept.patches() {
                let (row, col) = (place / cols, place % cols);
                let start = (row * patch + y) * width + col * patch;
                strip.extend_from_slice(&plane[start..start + patch]);
            }
        }
    }
    strip
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{AttributeProto, TensorProto};

    use super::*;
    use crate::vit::Grid;

    /// A graph that embeds patches of 14 px and adds where they lie.
    fn sound() -> GraphProto {
        let node = |operator: &str, inputs: &[&str], output: &str| NodeProto {
            op_type: operator.into(),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            ..Default::default()
        };
        let mut embedding = node("Conv", &["image", "weight", "bias"], "patches");
        embedding.attribute = vec![ints("strides", &[14, 14]), ints("pads", &[0; 4])];
        GraphProto {
            node: vec![
                embedding,
                node("Concat", &["class", "patches"], "all"),
                node("Add", &["places", "all"], "sum"),
            ],
            initializer: vec![TensorProto {
                name: "weight".into(),
                dims: vec![384, 3, 14, 14],
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn ints(name: &str, ints: &[i64]) -> AttributeProto {
        AttributeProto {
            name: name.into(),
            ints: ints.to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn a_graph_that_embeds_patches_one_by_one_is_served_whatever_its_names() {
        assert_eq!(check(&sound(), "image", "places", 14), Ok(()));
    }

    #[test]
    fn any_other_graph_is_refused_in_words() {
        let refused = |change: &dyn Fn(&mut GraphProto), word: &str| {
            let mut graph = sound();
            change(&mut graph);
            let reason = check(&graph, "image", "places", 14).unwrap_err();
            assert!(reason.contains(word), "{reason}");
        };
        let embedding = "one convolution that steps from patch to patch";
        // Overlapping, padded, dilated, in groups, of another size, or not alone.
        refused(
            &|g| g.node[0].attribute[0] = ints("strides", &[7, 7]),
            embedding,
        );
        refused(
            &|g| g.node[0].attribute[1] = ints("pads", &[1; 4]),
            embedding,
        );
        refused(
            &|g| g.node[0].attribute.push(ints("dilations", &[2, 2])),
            embedding,
        );
        let two = AttributeProto {
            name: "group".into(),
            i: 3,
            ..Default::default()
        };
        refused(&|g| g.node[0].attribute.push(two.clone()), embedding);
        let same = AttributeProto {
            name: "auto_pad".into(),
            s: b"SAME_UPPER".to_vec(),
            ..Default::default()
        };
        refused(&|g| g.node[0].attribute.push(same.clone()), embedding);
        refused(&|g| g.initializer[0].dims = vec![384, 3, 28, 28], embedding);
        refused(&|g| g.initializer.clear(), embedding);
        refused(&|g| g.node[0].op_type = "Reshape".into(), embedding);
        refused(&|g| g.node[1].input.push("image".into()), embedding);

        let position = "not added in exactly one place";
        refused(&|g| g.node[2].op_type = "Mul".into(), position);
        refused(&|g| g.node[2].input[1] = "places".into(), position);
        refused(&|g| g.node[1].input.push("places".into()), position);
        refused(&|g| g.node[2].input[0] = "other".into(), position);
        let body = AttributeProto {
            g: Some(GraphProto::default()),
            ..Default::default()
        };
        refused(&|g| g.node[1].attribute.push(body.clone()), "branches");
    }

    #[test]
    fn a_strip_holds_the_kept_patches_side_by_side_plane_by_plane() {
        let grid = Grid { rows: 2, cols: 2 };
        let kept = Kept::new(grid, |patch| [1, 2].contains(patch)).unwrap();
        // Patches of 2 px: 4 x 4 pixels a plane, numbered.
        let picture: Vec<f32> = (0..48).map(|v| v as f32).collect();
        let found = strip(&picture, 2, &kept);
        let first = [2.0, 3.0, 8.0, 9.0, 6.0, 7.0, 12.0, 13.0];
        assert_eq!(found[..8], first);
        assert_eq!(found[8..16], first.map(|v| v + 16.0));
        assert_eq!(found.len(), 24);
    }
}
