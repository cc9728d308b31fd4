//! `MatMul(x, DequantizeLinear(int8))`, then whatever follows of: a bias, a factor per channel, GELU, a
//! residual.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{NodeProto, TensorProto};

use super::index::{Index, elements, integer};
use super::nodes::{node, number};
use super::operators::LINEAR;
use super::{Fused, Replacement, gelu};

/// The pattern that starts at the `MatMul` at `position`. `None` when there is none there, `Err`
/// says why a linear layer cannot be fused.
pub(super) fn find(index: &Index<'_>, position: usize) -> Option<Result<Replacement, String>> {
    let node = &index.nodes[position];
    if node.op_type == "Gemm" {
        return Some(Err("Gemm is not fused, only MatMul".into()));
    }
    if node.op_type != "MatMul" {
        return None;
    }
    let weight = index.input(position, 1);
    if index.constant(weight).is_some() {
        return Some(Err("its weights are not int8".into()));
    }
    let dequantize = index.made_by(weight, "DequantizeLinear")?;
    index.constant(index.input(dequantize, 0))?;
    let weight = match Weight::read(index, dequantize) {
        Ok(weight) => weight,
        Err(reason) => return Some(Err(reason)),
    };
    Some(Ok(replacement(index, position, weight)))
}

/// int8 weights `[k, n]` with one scale per output channel.
struct Weight {
    /// Name of the constant that holds the integers.
    integers: String,
    /// `[n]`.
    scales: Vec<f32>,
}

impl Weight {
    fn read(index: &Index<'_>, dequantize: usize) -> Result<Self, String> {
        let node = &index.nodes[dequantize];
        let integers = index.input(dequantize, 0);
        let tensor = index.constant(integers).ok_or("its weights change")?;
        let [_, n] = tensor.dims[..] else {
            return Err(format!(
                "its weights have {} axes, not 2",
                tensor.dims.len()
            ));
        };
        if tensor.data_type != DataType::Int8 as i32 {
            return Err("its weights are quantised, but not to int8".into());
        }
        let scales = index
            .floats(index.input(dequantize, 1))
            .ok_or("its scales are not constant floats")?;
        let n = usize::try_from(n).map_err(|_| "its weights have no known size")?;
        let scales = match scales[..] {
            [scale] => vec![scale; n],
            _ if scales.len() == n && [1, -1].contains(&integer(node, "axis", 1)) => scales,
            _ => return Err("its scales are not one per output channel".into()),
        };
        if integer(node, "block_size", 0) != 0 {
            return Err("its scales change within a channel".into());
        }
        let zero = index.input(dequantize, 2);
        if !zero.is_empty() && !index.constant(zero).is_some_and(is_all_zero) {
            return Err("its weights have a zero point other than 0".into());
        }
        Ok(Self {
            integers: integers.into(),
            scales,
        })
    }
}

fn is_all_zero(tensor: &TensorProto) -> bool {
    tensor.data_type == DataType::Int8 as i32
        && tensor.raw_data.iter().all(|v| *v == 0)
        && tensor.int32_data.iter().all(|v| *v == 0)
        && elements(tensor).is_some_and(|n| n == tensor.raw_data.len() + tensor.int32_data.len())
}

fn replacement(index: &Index<'_>, position: usize, mut weight: Weight) -> Replacement {
    let n = weight.scales.len();
    let mut nodes = vec![position];
    let mut what = String::from("int8 linear");
    let mut output = index.output(position).to_owned();

    let mut bias = vec![0.0; n];
    if let Some(add) = index.read_only_by(&output, "Add")
        && let Some(values) = index
            .other_input(add, &output)
            .filter(|name| has_shape(index, name, n))
            .and_then(|name| index.floats(name))
    {
        bias = values;
        output = index.output(add).to_owned();
        nodes.push(add);
        what += " + bias";
    }
    // One factor per channel, as LayerScale has: the layer takes it into its own.
    if let Some(times) = index.read_only_by(&output, "Mul")
        && let Some(factors) = index
            .other_input(times, &output)
            .filter(|name| has_shape(index, name, n))
            .and_then(|name| index.floats(name))
            .filter(|factors| factors.iter().all(|factor| factor.is_finite()))
    {
        for (values, factor) in weight.scales.iter_mut().zip(&mut bias).zip(factors) {
            *values.0 *= factor;
            *values.1 *= factor;
        }
        output = index.output(times).to_owned();
        nodes.push(times);
        what += " + layer scale";
    }
    let mut residual = None;
    if let Some((gelu, result)) = gelu::of(index, &output) {
        nodes.extend(gelu);
        output = result;
        what += " + GELU";
    } else if let Some(add) = index.read_only_by(&output, "Add")
        && let Some(other) = index.other_input(add, &output)
        && index.constant(other).is_none()
    {
        nodes.push(add);
        output = index.output(add).to_owned();
        what += " + residual";
        residual = Some(other.to_owned());
    }

    let constants = vec![
        floats(format!("{output}.fused_scales"), &weight.scales),
        floats(format!("{output}.fused_bias"), &bias),
    ];
    let mut input = vec![index.input(position, 0).to_owned(), weight.integers];
    input.extend(constants.iter().map(|c| c.name.clone()));
    input.extend(residual);
    let by = NodeProto {
        input,
        attribute: vec![number("gelu", i64::from(what.ends_with("GELU")))],
        ..node(LINEAR, &[], &output)
    };
    Replacement {
        fused: Fused {
            name: output,
            // The dequantisation of the weights goes away as well.
            nodes: nodes.len() + 1,
            what,
        },
        nodes,
        by,
        constants,
    }
}

/// Whether a constant adds one value per output channel: `[n]` or `[1, .., n]`.
fn has_shape(index: &Index<'_>, name: &str, n: usize) -> bool {
    index.constant(name).is_some_and(|tensor| {
        tensor.dims.last().is_some_and(|last| *last == n as i64)
            && tensor.dims.len() <= 2
            && elements(tensor) == Some(n)
    })
}

fn floats(name: String, values: &[f32]) -> TensorProto {
    TensorProto {
        name,
        dims: vec![values.len() as i64],
        data_type: DataType::Float as i32,
        raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ..Default::default()
    }
}
