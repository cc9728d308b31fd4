//! Speed of every kernel as ratios: against the integer peak of the same instruction set, measured in the same run, and
//! against the portable kernel. All candidates are interleaved and CPU time of the thread is counted, so that other work
//! on the machine costs little; the first figure uses the minimum, the one in parentheses the median.
//!
//! `cargo bench -p andon-kernels [-- ROUNDS [FILTER [ISA]]]`

use andon_kernels::{
    Epilogue, HEAD_WIDTH, Isa, PackedHead, PackedWeights, Scratch, attend, layer_norm, linear,
};

mod numbers;
mod peak;
mod timing;
use numbers::numbers;
use timing::{Candidate, compare};

/// Tokens of a 224 and of a 448 pixel image with 14 pixel patches and one class token.
const TOKENS: [usize; 2] = [257, 1025];

/// All that this processor has, or those whose name contains `filter`.
fn isas(filter: &str) -> impl Iterator<Item = Isa> {
    Isa::available().filter(move |isa| format!("{isa:?}").contains(filter))
}

fn bench_linear(rounds: usize, filter: &str, isa: &str) {
    for tokens in TOKENS {
        for (name, k, n, kind) in [
            ("qkv", 384, 1152, 0),
            ("out", 384, 384, 2),
            ("fc1", 384, 1536, 1),
            ("fc2", 1536, 384, 2),
        ] {
            let title = format!("linear {name} {tokens} x {k} x {n}");
            if !title.contains(filter) {
                continue;
            }
            let x = numbers(tokens * k, 1);
            let residual = numbers(tokens * n, 2);
            let weights: Vec<i8> = numbers(k * n, 3)
                .iter()
                .map(|v| (v * 127.0) as i8)
                .collect();
            let packed: Vec<PackedWeights> = isas(isa)
                .map(|isa| {
                    PackedWeights::pack(isa, &weights, k, n, &vec![1e-3; n], &vec![0.1; n]).unwrap()
                })
                .collect();
            let candidates = packed
                .iter()
                .map(|weights| {
                    let (x, residual) = (&x, &residual);
                    let mut out = vec![0.0; tokens * n];
                    let mut scratch = Scratch::new();
                    Candidate::new(weights.isa(), move || {
                        let epilogue = match kind {
                            0 => Epilogue::None,
                            1 => Epilogue::Gelu,
                            _ => Epilogue::Add(residual),
                        };
                        linear(weights, x, epilogue, &mut out, &mut scratch).unwrap();
                        out[0]
                    })
                })
                .collect();
            compare(&title, (tokens * k * n) as f64, rounds, candidates);
        }
    }
}

/// Six heads of 64, as in ViT-S: packing of keys and values, and everything.
fn bench_attention(rounds: usize, filter: &str, isa: &str) {
    let (heads, width) = (6, 6 * HEAD_WIDTH);
    for tokens in TOKENS {
        let [queries, keys, values] = [1, 2, 3].map(|seed| numbers(tokens * width, seed));
        let pack = |packed: &mut [PackedHead]| {
            for (number, head) in packed.iter_mut().enumerate() {
                head.pack(number, &keys, &values, width, 0.125).unwrap();
            }
        };
        let empty = |isa| vec![PackedHead::new(isa).unwrap(); heads];
        let title = format!("attention pack {tokens}");
        if title.contains(filter) {
            let candidates = isas(isa).map(|isa| {
                let mut packed = empty(isa);
                Candidate::new(isa, move || {
                    pack(&mut packed);
                    0.0
                })
            });
            compare(&title, 0.0, rounds, candidates.collect());
        }
        let title = format!("attention {tokens}");
        if title.contains(filter) {
            let candidates = isas(isa).map(|isa| {
                let mut packed = empty(isa);
                let mut out = vec![0.0; tokens * width];
                let mut scratch = Scratch::new();
                let queries = &queries;
                Candidate::new(isa, move || {
                    pack(&mut packed);
                    attend(&packed, queries, &mut out, &mut scratch).unwrap();
                    out[0]
                })
            });
            compare(&title, 0.0, rounds, candidates.collect());
        }
    }
}

fn bench_norm(rounds: usize, filter: &str, isa: &str) {
    for tokens in TOKENS {
        let title = format!("layer norm {tokens} x 384");
        if !title.contains(filter) {
            continue;
        }
        let x = numbers(tokens * 384, 1);
        let candidates = isas(isa).map(|isa| {
            let (x, scale, offset) = (&x, vec![1.0; 384], vec![0.0; 384]);
            let mut out = vec![0.0; x.len()];
            Candidate::new(isa, move || {
                layer_norm(isa, x, &scale, &offset, 1e-6, &mut out).unwrap();
                out[0]
            })
        });
        compare(&title, 0.0, rounds, candidates.collect());
    }
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let rounds = words.next().and_then(|r| r.parse().ok()).unwrap_or(30);
    let filter = words.next().unwrap_or_default();
    let isa = words.next().unwrap_or_default();
    bench_linear(rounds, &filter, &isa);
    bench_attention(rounds, &filter, &isa);
    bench_norm(rounds, &filter, &isa);
}
