//! New nodes and constants of a graph.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};

/// A node with one output, after which it is named.
pub(super) fn node(operator: &str, input: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        name: output.into(),
        input: input.iter().map(ToString::to_string).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

/// `Transpose` of `value`.
pub(super) fn transposition(value: &str, output: &str, order: &[i64]) -> NodeProto {
    let mut transpose = node("Transpose", &[value], output);
    transpose.attribute.push(AttributeProto {
        name: "perm".into(),
        r#type: AttributeType::Ints as i32,
        ints: order.to_vec(),
        ..Default::default()
    });
    transpose
}

/// An integer attribute.
pub(super) fn number(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Int as i32,
        i: value,
        ..Default::default()
    }
}

/// A constant list of integers.
pub(super) fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..Default::default()
    }
}
