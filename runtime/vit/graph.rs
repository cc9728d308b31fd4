//! Rewriting the ONNX graph before it is parsed into operators: the wanted input size, the
//! resized position embedding, the wanted patches, the wanted outputs, and nothing that they do not
//! need.

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto, TypeProto, ValueInfoProto, type_proto};

use super::{Grid, Kept, Manifest, position, strip};

/// Names of the outputs, in order.
pub(super) struct Cut<'a> {
    pub manifest: &'a Manifest,
    pub grid: Grid,
    pub kept: Option<&'a Kept>,
    pub outputs: &'a [String],
}

impl Cut<'_> {
    /// Applies the cut to a parsed model; `Err` says in words what is wrong with the file.
    pub fn apply(&self, mut model: ModelProto) -> Result<ModelProto, String> {
        let graph = model.graph.as_mut().ok_or("it holds no graph")?;
        self.refuse_outside_data(graph)?;
        if self.kept.is_some() {
            let input = &self.manifest.input.name;
            let position = &self.manifest.position_embedding.initializer;
            strip::check(graph, input, position, self.manifest.architecture.patch)?;
        }
        self.set_outputs(graph)?;
        self.set_input(graph)?;
        self.set_position(graph)?;
        graph.value_info.clear();
        drop_unneeded(graph, self.outputs);
        Ok(model)
    }

    /// A model is one file: one that points to others could read anything on the disk.
    fn refuse_outside_data(&self, graph: &GraphProto) -> Result<(), String> {
        match graph.initializer.iter().find(|t| {
            t.data_location.is_some_and(|place| place != 0) || !t.external_data.is_empty()
        }) {
            Some(tensor) => Err(format!(
                "tensor {:?} keeps its data in another file, which is not allowed",
                tensor.name
            )),
            None => Ok(()),
        }
    }

    fn set_outputs(&self, graph: &mut GraphProto) -> Result<(), String> {
        let made: HashSet<&str> = graph
            .node
            .iter()
            .flat_map(|node| node.output.iter().map(String::as_str))
            .collect();
        if let Some(missing) = self.outputs.iter().find(|n| !made.contains(n.as_str())) {
            return Err(format!(
                "it has no tensor {missing:?}, which the manifest names"
            ));
        }
        graph.output = self
            .outputs
            .iter()
            .map(|name| ValueInfoProto {
                name: name.clone(),
                ..Default::default()
            })
            .collect();
        Ok(())
    }

    fn set_input(&self, graph: &mut GraphProto) -> Result<(), String> {
        let name = &self.manifest.input.name;
        let patch = self.manifest.architecture.patch;
        let input = graph
            .input
            .iter()
            .find(|input| input.name == *name)
            .ok_or_else(|| format!("it has no input {name:?}, which the manifest names"))?;
        let shape = match self.kept {
            Some(kept) => [1, 3, patch, kept.patches().len() * patch],
            None => [1, 3, self.grid.rows * patch, self.grid.cols * patch],
        };
        let dims = shape.map(|side| Dimension {
            value: Some(Dim::DimValue(side as i64)),
            ..Default::default()
        });
        let tensor = type_proto::Tensor {
            elem_type: DataType::Float as i32,
            shape: Some(tract_onnx::pb::TensorShapeProto { dim: dims.to_vec() }),
        };
        let input = ValueInfoProto {
            r#type: Some(TypeProto {
                denotation: String::new(),
                value: Some(type_proto::Value::TensorType(tensor)),
            }),
            ..input.clone()
        };
        graph.input = vec![input];
        Ok(())
    }

    fn set_position(&self, graph: &mut GraphProto) -> Result<(), String> {
        let sizes = self.manifest.architecture;
        let name = &self.manifest.position_embedding.initializer;
        let table = graph
            .initializer
            .iter_mut()
            .find(|tensor| tensor.name == *name)
            .ok_or_else(|| format!("it has no position embedding {name:?}"))?;
        let native = Grid {
            rows: sizes.native_grid,
            cols: sizes.native_grid,
        };
        let rows = sizes.class_tokens + native.patches();
        let values = floats(table)
            .filter(|values| values.len() == rows * sizes.dim)
            .ok_or_else(|| {
                format!(
                    "position embedding {name:?} is not a float table of {rows} x {}",
                    sizes.dim
                )
            })?;
        let mut resized =
            position::resize(&values, sizes.class_tokens, sizes.dim, native, self.grid);
        if let Some(kept) = self.kept {
            let (class, patches) = resized.split_at(sizes.class_tokens * sizes.dim);
            let row = |patch: &usize| &patches[patch * sizes.dim..][..sizes.dim];
            let rows = kept.patches().iter().flat_map(row);
            resized = class.iter().chain(rows).copied().collect();
        }
        let rows = sizes.class_tokens + Kept::count(self.kept, self.grid);
        table.dims = vec![1, rows as i64, sizes.dim as i64];
        table.float_data.clear();
        table.raw_data = resized.iter().flat_map(|v| v.to_le_bytes()).collect();
        Ok(())
    }
}

/// The values of a float tensor, from whichever field holds them.
fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    if tensor.data_type != DataType::Float as i32 {
        return None;
    }
    if !tensor.float_data.is_empty() {
        return Some(tensor.float_data.clone());
    }
    let (values, _) = tensor.raw_data.as_chunks::<4>();
    Some(
        values
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
    )
}

/// Keeps only what the outputs need, so that later blocks are neither parsed nor dequantised.
pub(super) fn drop_unneeded(graph: &mut GraphProto, outputs: &[String]) {
    let mut needed: HashSet<String> = outputs.iter().cloned().collect();
    // ONNX orders nodes topologically, so one walk from the end sees every consumer first.
    let mut kept: Vec<_> = std::mem::take(&mut graph.node)
        .into_iter()
        .rev()
        .filter(|node| {
            let keep = node.output.iter().any(|name| needed.contains(name));
            if keep {
                needed.extend(node.input.iter().cloned());
            }
            keep
        })
        .collect();
    kept.reverse();
    graph.node = kept;
    graph
        .initializer
        .retain(|tensor| needed.contains(&tensor.name));
}
