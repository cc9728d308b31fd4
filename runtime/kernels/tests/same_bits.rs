//! The same numbers come out on every architecture: recipes that were learned on one machine hold on another.

mod common;

use andon_kernels::{
    Epilogue, HEAD_WIDTH, Isa, PackedHead, PackedWeights, Scratch, attend, layer_norm, linear,
};
use common::{Numbers, bits};

/// FNV-1a over the bits.
fn sum(values: &[f32]) -> u64 {
    bits(values)
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
        })
}

/// LayerNorm, attention, and a linear layer with GELU and with a residual, on 37 tokens of two heads.
fn sums(isa: Isa) -> [u64; 4] {
    let numbers = &mut Numbers(11);
    let (tokens, k, n) = (37, 2 * HEAD_WIDTH, 150);
    let [x, keys, values] = [0; 3].map(|_| numbers.normals(tokens * k));
    let residual = numbers.normals(tokens * n);
    let scratch = &mut Scratch::new();

    let mut norm = vec![0.0; tokens * k];
    let (scale, offset) = (numbers.units(k), numbers.units(k));
    layer_norm(isa, &x, &scale, &offset, 1e-6, &mut norm).unwrap();

    let mut heads = vec![PackedHead::new(isa).unwrap(); 2];
    for (number, head) in heads.iter_mut().enumerate() {
        head.pack(number, &keys, &values, k, 0.125).unwrap();
    }
    let mut mixed = vec![0.0; tokens * k];
    attend(&heads, &norm, &mut mixed, scratch).unwrap();

    let scales: Vec<f32> = (0..n).map(|_| 1e-3 * (1.1 + numbers.unit())).collect();
    let (bytes, bias) = (numbers.bytes(k * n), numbers.units(n));
    let weights = PackedWeights::pack(isa, &bytes, k, n, &scales, &bias).unwrap();
    let [gelu, added] = [Epilogue::Gelu, Epilogue::Add(&residual)].map(|epilogue| {
        let mut out = vec![0.0; tokens * n];
        linear(&weights, &mixed, epilogue, &mut out, &mut Scratch::new()).unwrap();
        out
    });
    [&norm, &mixed, &gelu, &added].map(|values| sum(values))
}

#[test]
fn every_architecture_gives_the_bits_that_were_recorded() {
    for isa in Isa::available() {
        assert_eq!(sums(isa), RECORDED, "{isa:?}");
    }
}

/// From the portable kernels; they change only when recipes may.
const RECORDED: [u64; 4] = [
    8_911_581_345_945_825_051,
    1_307_848_451_784_293_351,
    9_536_306_091_152_330_953,
    1_721_139_018_168_380_902,
];

/// An emulated processor has the extension that it was chosen for, so that its kernels were tested.
#[test]
fn the_expected_instruction_set_is_found() {
    if let Ok(expected) = std::env::var("ANDON_EXPECT_ISA") {
        assert_eq!(format!("{:?}", Isa::detect()), expected);
    }
}
