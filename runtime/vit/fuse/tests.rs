//! Small graphs, as exporters write them, run with and without fused operators.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Side};
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value};
use tract_onnx::pb::{
    AttributeProto, ModelProto, OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto,
};
use tract_onnx::prelude::*;

use super::*;

const TOKENS: usize = 7;
const WIDTH: usize = 128;

/// A graph with one input `x`, `[1, TOKENS, WIDTH]`.
#[derive(Default, Clone)]
struct Sketch {
    graph: GraphProto,
}

impl Sketch {
    fn node(mut self, operator: &str, input: &[&str], output: &str) -> Self {
        self.graph.node.push(NodeProto {
            op_type: operator.into(),
            name: output.into(),
            input: input.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            ..Default::default()
        });
        self
    }

    /// Gives the last node a list of integers.
    fn with(mut self, name: &str, ints: &[i64]) -> Self {
        let node = self.graph.node.last_mut().unwrap();
        node.attribute.push(AttributeProto {
            name: name.into(),
            r#type: AttributeType::Ints as i32,
            ints: ints.to_vec(),
            ..Default::default()
        });
        self
    }

    /// Gives the last node an integer.
    fn with_integer(mut self, name: &str, i: i64) -> Self {
        let node = self.graph.node.last_mut().unwrap();
        node.attribute.push(AttributeProto {
            name: name.into(),
            r#type: AttributeType::Int as i32,
            i,
            ..Default::default()
        });
        self
    }

    fn constant(mut self, name: &str, kind: DataType, dims: &[usize], raw_data: Vec<u8>) -> Self {
        self.graph.initializer.push(TensorProto {
            name: name.into(),
            dims: dims.iter().map(|side| *side as i64).collect(),
            data_type: kind as i32,
            raw_data,
            ..Default::default()
        });
        self
    }

    fn floats(self, name: &str, dims: &[usize], value: impl Fn(usize) -> f32) -> Self {
        let bytes = (0..dims.iter().product()).flat_map(|i| value(i).to_le_bytes());
        self.constant(name, DataType::Float, dims, bytes.collect())
    }

    fn integers(self, name: &str, values: &[i64]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes());
        self.constant(name, DataType::Int64, &[values.len()], bytes.collect())
    }

    /// `name = MatMul(x, DequantizeLinear(int8)) + bias`, to `n` channels.
    fn linear(self, x: &str, k: usize, n: usize, name: &str) -> Self {
        let of = |part| format!("{name}.{part}");
        let bytes = (0..k * n).map(|i| (i * 37 % 255) as u8).collect();
        self.constant(&of("int8"), DataType::Int8, &[k, n], bytes)
            .floats(&of("scale"), &[n], |i| 1e-3 + 1e-5 * i as f32)
            .constant(&of("zero"), DataType::Int8, &[n], vec![0; n])
            .floats(&of("bias"), &[n], |i| (i % 5) as f32 * 0.1)
            .node(
                "DequantizeLinear",
                &[&of("int8"), &of("scale"), &of("zero")],
                &of("weight"),
            )
            .with_integer("axis", 1)
            .node("MatMul", &[x, &of("weight")], &of("product"))
            .node("Add", &[&of("product"), &of("bias")], name)
    }

    /// Splits `value` into two heads and orders them.
    fn heads(self, value: &str, order: [i64; 4], name: &str) -> Self {
        let split = format!("{name}.split");
        self.node("Reshape", &[value, "split"], &split)
            .node("Transpose", &[&split], name)
            .with("perm", &order)
    }

    /// Attention of two heads from elementary operators, with `scaled` between logits and softmax.
    fn attention(self, scaled: impl Fn(Self) -> Self) -> Self {
        let sketch = ["q", "k", "v"]
            .iter()
            .fold(self, |sketch, name| sketch.linear("x", WIDTH, WIDTH, name))
            .integers("split", &[0, 0, 2, 64])
            .integers("join", &[0, 0, WIDTH as i64])
            .floats("eighth", &[], |_| 0.125)
            .floats("eight", &[], |_| 8.0)
            .heads("q", [0, 2, 1, 3], "qh")
            .heads("k", [0, 2, 3, 1], "kh")
            .heads("v", [0, 2, 1, 3], "vh")
            .node("MatMul", &["qh", "kh"], "products");
        scaled(sketch)
            .node("Softmax", &["logits"], "weights")
            .with_integer("axis", -1)
            .node("MatMul", &["weights", "vh"], "mixed")
            .node("Transpose", &["mixed"], "joined")
            .with("perm", &[0, 2, 1, 3])
            .node("Reshape", &["joined", "join"], "y")
    }

    fn model(mut self, outputs: &[&str]) -> ModelProto {
        let info = |name: &str, shape: Option<[usize; 3]>| ValueInfoProto {
            name: name.into(),
            r#type: shape.map(|shape| TypeProto {
                denotation: String::new(),
                value: Some(Value::TensorType(TensorType {
                    elem_type: DataType::Float as i32,
                    shape: Some(TensorShapeProto {
                        dim: shape
                            .map(|side| Dimension {
                                value: Some(Side::DimValue(side as i64)),
                                ..Default::default()
                            })
                            .to_vec(),
                    }),
                })),
            }),
            ..Default::default()
        };
        self.graph.input = vec![info("x", Some([1, TOKENS, WIDTH]))];
        self.graph.output = outputs.iter().map(|name| info(name, None)).collect();
        ModelProto {
            ir_version: 9,
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: 20,
            }],
            graph: Some(self.graph),
            ..Default::default()
        }
    }
}

fn run(model: &ModelProto) -> Vec<Vec<f32>> {
    let mut onnx = tract_onnx::onnx();
    register(&mut onnx);
    let plan = onnx.parse(model, None).unwrap().model;
    let plan = plan.into_optimized().unwrap().into_runnable().unwrap();
    let x: Vec<f32> = (0..TOKENS * WIDTH)
        .map(|i| ((i * i) as f32 * 0.37).sin())
        .collect();
    let x = Tensor::from_shape(&[1, TOKENS, WIDTH], &x).unwrap();
    plan.run(tvec!(x.into_tvalue()))
        .unwrap()
        .iter()
        .map(|y| operators::floats(y).unwrap().to_vec())
        .collect()
}

/// Fuses, checks that each output is as good as the same, and gives the report.
#[track_caller]
fn fused(sketch: Sketch, outputs: &[&str]) -> FuseReport {
    let model = sketch.model(outputs);
    let names: Vec<String> = outputs.iter().map(ToString::to_string).collect();
    let (new, report) = fuse(model.clone(), &names);
    for ((expected, found), name) in run(&model).iter().zip(run(&new)).zip(outputs) {
        assert_eq!(expected.len(), found.len(), "{name}");
        let square = |v: f32| f64::from(v).powi(2);
        let apart: f64 = expected
            .iter()
            .zip(&found)
            .map(|(a, b)| square(a - b))
            .sum();
        let length: f64 = expected.iter().map(|v| square(*v)).sum();
        let error = (apart / length).sqrt();
        assert!(error < 0.02, "{name}: {error}");
    }
    report
}

#[track_caller]
fn fuses_to(sketch: Sketch, outputs: &[&str], expected: &[(&str, usize)]) {
    let report = fused(sketch, outputs);
    let found: Vec<_> = report.summary().into_iter().collect();
    assert_eq!(found, expected, "{report}");
}

#[test]
fn a_linear_layer_takes_bias_gelu_and_residual_with_it() {
    let mlp = Sketch::default()
        .linear("x", WIDTH, 200, "wide")
        .node("Gelu", &["wide"], "bent")
        .linear("bent", 200, WIDTH, "narrow")
        .node("Add", &["x", "narrow"], "y");
    fuses_to(
        mlp,
        &["y"],
        &[
            ("int8 linear + bias + GELU", 1),
            ("int8 linear + bias + residual", 1),
        ],
    );
}

#[test]
fn gelu_written_with_erf_is_found() {
    let gelu = |order: [&str; 2]| {
        Sketch::default()
            .floats("root", &[], |_| std::f32::consts::SQRT_2)
            .floats("one", &[], |_| 1.0)
            .floats("half", &[], |_| 0.5)
            .linear("x", WIDTH, 96, "wide")
            .node("Div", &["wide", "root"], "scaled")
            .node("Erf", &["scaled"], "erf")
            .node("Add", &["erf", "one"], "plus")
            .node("Mul", &order, "times")
            .node("Mul", &["times", "half"], "y")
    };
    for order in [["wide", "plus"], ["plus", "wide"]] {
        fuses_to(gelu(order), &["y"], &[("int8 linear + bias + GELU", 1)]);
    }
}

#[test]
fn gelu_by_tanh_is_another_function_and_stays() {
    let mut sketch = Sketch::default()
        .linear("x", WIDTH, 96, "wide")
        .node("Gelu", &["wide"], "y");
    let gelu = sketch.graph.node.last_mut().unwrap();
    gelu.attribute.push(AttributeProto {
        name: "approximate".into(),
        r#type: AttributeType::String as i32,
        s: b"tanh".to_vec(),
        ..Default::default()
    });
    fuses_to(sketch, &["y"], &[("int8 linear + bias", 1)]);
}

#[test]
fn what_others_read_is_not_swallowed() {
    let sketch = Sketch::default()
        .linear("x", WIDTH, WIDTH, "layer")
        .node("Gelu", &["layer"], "bent")
        .node("Add", &["x", "bent"], "y");
    // The tap is the input of GELU, so that both must be there.
    let expected = [("int8 linear + bias", 1)];
    fuses_to(sketch, &["layer", "y"], &expected);
}

#[test]
fn a_residual_that_is_broadcast_is_added_by_the_engine() {
    let sketch = Sketch::default()
        .node("ReduceMean", &["x"], "mean")
        .with_integer("keepdims", 1)
        .linear("x", WIDTH, WIDTH, "layer")
        .node("Add", &["layer", "mean"], "y");
    fuses_to(sketch, &["y"], &[("int8 linear + bias + residual", 1)]);
}

#[test]
fn attention_is_found_wherever_its_scale_stands() {
    let expected = [("attention of 2 heads", 1), ("int8 linear + bias", 3)];
    let times = |s: Sketch| s.node("Mul", &["products", "eighth"], "logits");
    fuses_to(Sketch::default().attention(times), &["q", "y"], &expected);
    let over = |s: Sketch| s.node("Div", &["products", "eight"], "logits");
    fuses_to(
        Sketch::default().attention(over),
        &["k", "v", "y"],
        &expected,
    );
}

#[test]
fn masked_attention_stays() {
    let masked = |s: Sketch| {
        s.floats("mask", &[1, 1, TOKENS, TOKENS], |i| (i % 3) as f32)
            .node("Add", &["products", "mask"], "logits")
    };
    let report = fused(Sketch::default().attention(masked), &["y"]);
    assert_eq!(report.summary().get("int8 linear + bias"), Some(&3));
    assert_eq!(report.unchanged.get("Softmax"), Some(&1));
    let text = report.to_string();
    assert!(
        text.contains("weights: what surrounds it is not plain attention"),
        "{text}"
    );
}

#[test]
fn attention_whose_weights_are_tapped_stays() {
    let plain = |s: Sketch| s.node("Mul", &["products", "eighth"], "logits");
    let report = fused(Sketch::default().attention(plain), &["weights", "y"]);
    assert_eq!(report.unchanged.get("Softmax"), Some(&1), "{report}");
}

#[test]
fn layer_norm_over_the_last_axis_is_found() {
    let sketch = Sketch::default()
        .floats("scale", &[WIDTH], |i| 1.0 + i as f32 * 0.01)
        .floats("offset", &[WIDTH], |i| i as f32 * 0.01)
        .node("LayerNormalization", &["x", "scale", "offset"], "y");
    fuses_to(sketch, &["y"], &[("layer norm", 1)]);
}

/// Patches of 5 x 8 pixels of a picture that is no multiple of them, `strides` apart.
fn embedding(strides: [i64; 2]) -> Sketch {
    Sketch::default()
        .integers("picture", &[1, 2, 16, 28])
        .node("Reshape", &["x", "picture"], "image")
        .floats("weights", &[70, 2, 5, 8], |i| ((i * 7 % 23) as f32).sin())
        .floats("bias", &[70], |i| i as f32 * 0.01)
        .node("Conv", &["image", "weights", "bias"], "y")
        .with("kernel_shape", &[5, 8])
        .with("strides", &strides)
}

#[test]
fn patches_are_embedded_alike_on_any_number_of_threads() {
    fuses_to(embedding([5, 8]), &["y"], &[("patch embedding", 1)]);
    let (model, _) = fuse(embedding([5, 8]).model(&["y"]), &["y".into()]);
    let alone = run(&model);
    assert_eq!(alone[0].len(), 70 * 3 * 3);
    for threads in [2, 3, 5] {
        let pool = Arc::new(andon_kernels::Pool::new(threads).unwrap());
        assert_eq!(on_pool(&pool, || run(&model)), alone, "{threads} threads");
    }
}

#[test]
fn windows_that_overlap_stay() {
    let report = fused(embedding([5, 4]), &["y"]);
    assert_eq!(report.unchanged.get("Conv"), Some(&1), "{report}");
    assert!(report.left[0].reason.contains("overlap"), "{report}");
}

#[test]
fn float_and_asymmetric_weights_stay_and_the_report_says_why() {
    let float = Sketch::default()
        .floats("weight", &[WIDTH, 64], |i| (i % 17) as f32 * 0.01)
        .node("MatMul", &["x", "weight"], "y");
    let report = fused(float, &["y"]);
    assert!(report.fused.is_empty());
    assert!(
        report.to_string().contains("y: its weights are not int8"),
        "{report}"
    );

    let mut shifted = Sketch::default().linear("x", WIDTH, 64, "y");
    let zero = shifted.graph.initializer.iter_mut();
    zero.for_each(|t| {
        if t.name == "y.zero" {
            t.raw_data[3] = 5;
        }
    });
    let report = fused(shifted, &["y"]);
    assert!(report.fused.is_empty());
    assert!(
        report.to_string().contains("zero point other than 0"),
        "{report}"
    );
}

#[test]
fn a_factor_per_channel_is_taken_into_the_layer() {
    let sketch = Sketch::default()
        .floats("factors", &[WIDTH], |i| 0.5 - i as f32 * 0.01)
        .linear("x", WIDTH, WIDTH, "layer")
        .node("Mul", &["factors", "layer"], "scaled")
        .node("Add", &["scaled", "x"], "y");
    let what = "int8 linear + bias + layer scale + residual";
    fuses_to(sketch, &["y"], &[(what, 1)]);
}

#[test]
fn activations_that_the_file_rounds_are_rounded_by_the_operators_instead() {
    let sketch = Sketch::default()
        .floats("step", &[], |_| 0.01)
        .constant("middle", DataType::Uint8, &[], vec![128])
        .node("QuantizeLinear", &["x", "step", "middle"], "levels")
        .node("DequantizeLinear", &["levels", "step", "middle"], "rounded")
        .node("Identity", &["rounded"], "same")
        .linear("same", WIDTH, 96, "y");
    let report = fused(sketch, &["y"]);
    assert_eq!(report.summary().get("int8 linear + bias"), Some(&1));
    assert!(report.unchanged.is_empty(), "{report}");
}

#[test]
fn a_dynamically_quantised_product_gives_the_bits_of_the_plain_one() {
    let mut sketch = Sketch::default().linear("x", WIDTH, 96, "plain").node(
        "DynamicQuantizeLinear",
        &["x"],
        "levels",
    );
    let quantise = sketch.graph.node.last_mut().unwrap();
    quantise.output.extend(["step".into(), "middle".into()]);
    let sums = ["levels", "plain.int8", "middle", "plain.zero"];
    let model = sketch
        .node("MatMulInteger", &sums, "sums")
        .node("Cast", &["sums"], "floats")
        .with_integer("to", DataType::Float as i64)
        .node("Mul", &["step", "plain.scale"], "steps")
        .node("Mul", &["floats", "steps"], "product")
        .node("Add", &["plain.bias", "product"], "dynamic")
        .model(&["plain", "dynamic"]);
    let (new, report) = fuse(model, &["plain".into(), "dynamic".into()]);
    assert_eq!(report.summary().get("int8 linear + bias"), Some(&2));
    let outputs = run(&new);
    assert_eq!(outputs[0], outputs[1], "{report}");
}

/// Attention as `torch` exports that of `timm`: query, key and value of one layer, taken apart behind
/// the division into heads; keys transposed with three axes; rows without a number guarded.
fn side_by_side(first: i64) -> Sketch {
    let tokens = TOKENS as i64;
    let of = |sketch: Sketch, part: i64, name: &str| {
        let [start, end, slice] = ["start", "end", "slice"].map(|what| format!("{name}.{what}"));
        sketch
            .integers(&start, &[part])
            .integers(&end, &[part + 1])
            .node("Slice", &["parts", &start, &end, "first"], &slice)
            .node("Squeeze", &[&slice, "first"], name)
    };
    let sketch = Sketch::default()
        .linear("x", WIDTH, 3 * WIDTH, "all")
        .integers("divide", &[1, tokens, 3, 2, 64])
        .integers("first", &[0])
        .integers("flatten", &[-1, tokens, 64])
        .integers("unfold", &[1, 2, 64, tokens])
        .integers("join", &[1, tokens, WIDTH as i64])
        .floats("root", &[1], |_| 0.125f32.sqrt())
        .floats("nothing", &[], |_| 0.0)
        .node("Reshape", &["all", "divide"], "divided")
        .node("Transpose", &["divided"], "parts")
        .with("perm", &[2, 0, 3, 1, 4]);
    of(of(of(sketch, first, "q"), 1, "k"), 2, "v")
        .node("Mul", &["q", "root"], "qs")
        .node("Reshape", &["k", "flatten"], "flat")
        .node("Transpose", &["flat"], "turned")
        .with("perm", &[0, 2, 1])
        .node("Reshape", &["turned", "unfold"], "kt")
        .node("Mul", &["kt", "root"], "ks")
        .node("MatMul", &["qs", "ks"], "logits")
        .node("Softmax", &["logits"], "weights")
        .with_integer("axis", -1)
        .node("IsNaN", &["weights"], "odd")
        .node("Where", &["odd", "nothing", "weights"], "guarded")
        .node("MatMul", &["guarded", "v"], "mixed")
        .node("Transpose", &["mixed"], "joined")
        .with("perm", &[0, 2, 1, 3])
        .node("Reshape", &["joined", "join"], "y")
}

#[test]
fn attention_of_one_layer_side_by_side_is_found_whichever_part_is_which() {
    let expected = [("attention of 2 heads", 1), ("int8 linear + bias", 1)];
    // Also where values stand for queries as well.
    for first in [0, 2] {
        fuses_to(side_by_side(first), &["y"], &expected);
    }
    // What is tapped keeps its name and its shape.
    let report = fused(side_by_side(0), &["q", "y"]);
    assert_eq!(report.summary().get("int8 linear + bias"), Some(&1));
}
