//! Which kernels this processor gets: they are chosen at run time, so a program that was built
//! elsewhere can be asked on the board itself.

use std::collections::BTreeMap;
use std::fmt;

use andon_kernels::Isa;
use tract_linalg::MmmDispatch;
use tract_onnx::prelude::{DatumType, TypedModel};
use tract_onnx::tract_core::ops::matmul::optimized::OptMatMul;

/// What the network runs on here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernels {
    /// Instruction set of the fused operators of this program.
    pub fused: Isa,
    /// What the engine found in this processor, for example `aarch64 fp16 dotprod`.
    pub processor: String,
    /// Names of the engine's kernels for matrix products, by what they add up in: `f32`, `f16`,
    /// `i32` (of 8-bit integers). A type without a kernel of its own is missing.
    pub products: Vec<(&'static str, String)>,
}

/// Columns of the product that is asked about: more than any tile is wide, as in the network.
const COLUMNS: usize = 64;

impl Kernels {
    /// The kernels of the processor that this runs on.
    #[must_use]
    pub fn detect() -> Self {
        let sums = [
            ("f32", DatumType::F32),
            ("f16", DatumType::F16),
            ("i32", DatumType::I32),
        ];
        let name = |sum| {
            let kernel = MmmDispatch::native().preferred_kernel(sum, None, None, Some(COLUMNS))?;
            Some(kernel.name().to_owned())
        };
        let features: Vec<&str> = tract_linalg::isa::native()
            .iter()
            .map(|feature| feature.name())
            .collect();
        Self {
            fused: Isa::detect(),
            processor: features.join(" "),
            products: sums
                .into_iter()
                .filter_map(|(text, sum)| Some((text, name(sum)?)))
                .collect(),
        }
    }
}

/// On one line.
impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fused {:?}; engine", self.fused)?;
        for (sum, name) in &self.products {
            write!(f, " {sum} {name}")?;
        }
        Ok(())
    }
}

/// The engine's kernels that a prepared graph makes use of, and for how many products each. One
/// product may name several, of which the shape of its input decides.
pub(super) fn used(graph: &TypedModel) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for node in graph.nodes() {
        let Some(product) = node.op_as::<OptMatMul>() else {
            continue;
        };
        for kernel in &product.mmm {
            *counts.entry(kernel.name().to_owned()).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_has_a_kernel_of_its_own_for_products_in_float() {
        let kernels = Kernels::detect();
        let (sum, name) = &kernels.products[0];
        assert_eq!(*sum, "f32");
        assert!(!name.contains("generic"), "{kernels}");
        assert!(kernels.processor.starts_with(std::env::consts::ARCH));
        assert!(kernels.to_string().contains(name.as_str()));
    }
}
