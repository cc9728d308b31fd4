//! What a pool of threads is worth: the kernels of a ViT-S, block after block, on the pool of this crate and split by
//! `rayon` as `tract` splits its own operators. All candidates run in turn; times are of the wall clock, and each ratio is
//! the median of the ratios of neighbouring runs.
//!
//! `cargo bench -p andon-kernels --bench threads [-- ROUNDS [THREADS [PAUSE_MS]]]`; a pause before each run is what a line
//! has between two parts.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use andon_kernels::{
    Bound, Epilogue, Error, HEAD_WIDTH, Isa, PackedHead, PackedWeights, Pool, Scratch,
    allowed_cores, attend, layer_norm, linear,
};
mod numbers;
use numbers::numbers;
use rayon::prelude::*;

const BLOCKS: usize = 12;
const HEADS: usize = 6;
const WIDTH: usize = HEADS * HEAD_WIDTH;

struct Block {
    query: PackedWeights,
    key: PackedWeights,
    value: PackedWeights,
    out: PackedWeights,
    up: PackedWeights,
    down: PackedWeights,
}

/// Values that a run writes.
struct Values {
    tokens: Vec<f32>,
    norm: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    wide: Vec<f32>,
    heads: Vec<PackedHead>,
}

/// How work is split.
trait Split {
    /// Before a run, outside of its time.
    fn begin(&self) -> Option<Bound> {
        None
    }
    fn linear(
        &self,
        weights: &PackedWeights,
        x: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) -> Result<(), Error>;
    fn attention(
        &self,
        heads: &mut [PackedHead],
        values: [&[f32]; 3],
        out: &mut [f32],
    ) -> Result<(), Error>;
    fn norm(&self, x: &[f32], out: &mut [f32]) -> Result<(), Error>;
}

const ONES: [f32; WIDTH] = [1.0; WIDTH];
const ZEROS: [f32; WIDTH] = [0.0; WIDTH];
/// Factor of the logits.
const SCALE: f32 = 0.125;

impl Split for Pool {
    fn begin(&self) -> Option<Bound> {
        self.bind_caller().ok()
    }

    fn linear(
        &self,
        weights: &PackedWeights,
        x: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        self.linear(weights, x, epilogue, out)
    }

    fn attention(
        &self,
        heads: &mut [PackedHead],
        [query, key, value]: [&[f32]; 3],
        out: &mut [f32],
    ) -> Result<(), Error> {
        self.attention(heads, query, key, value, SCALE, out)
    }

    fn norm(&self, x: &[f32], out: &mut [f32]) -> Result<(), Error> {
        self.layer_norm(Isa::detect(), x, &ONES, &ZEROS, 1e-6, out)
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

/// As `tract_linalg::multithread::par_chunks_mut`: four pieces a thread, dealt by `rayon`.
struct Rayon(rayon::ThreadPool);

impl Rayon {
    fn chunks<T: Send>(
        &self,
        out: &mut [T],
        row: usize,
        work: impl Fn(usize, &mut [T]) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        self.0.install(|| {
            let rows = out.len() / row;
            let chunk = rows.div_ceil((4 * rayon::current_num_threads()).min(rows));
            out.par_chunks_mut(chunk * row)
                .enumerate()
                .try_for_each(|(i, out)| work(i * chunk, out))
        })
    }
}

impl Split for Rayon {
    fn linear(
        &self,
        weights: &PackedWeights,
        x: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let (k, n) = (weights.k(), weights.n());
        self.chunks(out, n, |row, out| {
            let x = &x[row * k..][..out.len() / n * k];
            SCRATCH.with_borrow_mut(|scratch| linear(weights, x, epilogue, out, scratch))
        })
    }

    fn attention(
        &self,
        heads: &mut [PackedHead],
        [query, key, value]: [&[f32]; 3],
        out: &mut [f32],
    ) -> Result<(), Error> {
        self.chunks(heads, 1, |first, heads| {
            let mut heads = heads.iter_mut().enumerate();
            heads.try_for_each(|(i, head)| head.pack(first + i, key, value, WIDTH, SCALE))
        })?;
        self.chunks(out, WIDTH, |row, out| {
            let query = &query[row * WIDTH..][..out.len()];
            SCRATCH.with_borrow_mut(|scratch| attend(heads, query, out, scratch))
        })
    }

    fn norm(&self, x: &[f32], out: &mut [f32]) -> Result<(), Error> {
        self.chunks(out, WIDTH, |row, out| {
            let x = &x[row * WIDTH..][..out.len()];
            layer_norm(Isa::detect(), x, &ONES, &ZEROS, 1e-6, out)
        })
    }
}

fn run(split: &dyn Split, blocks: &[Block], v: &mut Values) -> Result<(), Error> {
    for block in blocks {
        split.norm(&v.tokens, &mut v.norm)?;
        split.linear(&block.query, &v.norm, Epilogue::None, &mut v.query)?;
        split.linear(&block.key, &v.norm, Epilogue::None, &mut v.key)?;
        split.linear(&block.value, &v.norm, Epilogue::None, &mut v.value)?;
        split.attention(&mut v.heads, [&v.query, &v.key, &v.value], &mut v.norm)?;
        split.linear(&block.out, &v.norm, Epilogue::Accumulate, &mut v.tokens)?;
        split.norm(&v.tokens, &mut v.norm)?;
        split.linear(&block.up, &v.norm, Epilogue::Gelu, &mut v.wide)?;
        split.linear(&block.down, &v.wide, Epilogue::Accumulate, &mut v.tokens)?;
    }
    Ok(())
}

fn packed(k: usize, n: usize, seed: u32) -> PackedWeights {
    let weights: Vec<i8> = numbers(k * n, seed)
        .iter()
        .map(|v| (v * 127.0) as i8)
        .collect();
    PackedWeights::pack(Isa::detect(), &weights, k, n, &vec![1e-4; n], &vec![0.1; n]).unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut words = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .filter_map(|word| word.parse::<usize>().ok());
    let rounds = words.next().unwrap_or(25);
    let threads = words.next().unwrap_or(2);
    let pause = Duration::from_millis(words.next().unwrap_or(0) as u64);
    let blocks: Vec<Block> = (0..BLOCKS as u32)
        .map(|seed| Block {
            query: packed(WIDTH, WIDTH, seed),
            key: packed(WIDTH, WIDTH, seed),
            value: packed(WIDTH, WIDTH, seed),
            out: packed(WIDTH, WIDTH, seed),
            up: packed(WIDTH, 4 * WIDTH, seed),
            down: packed(4 * WIDTH, WIDTH, seed),
        })
        .collect();
    let rayon = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let mut cores = allowed_cores();
    cores.truncate(threads);
    let candidates: [(&str, Box<dyn Split>); 4] = [
        ("1 thread", Box::new(Pool::new(1).unwrap())),
        ("pool", Box::new(Pool::new(threads).unwrap())),
        ("bound", Box::new(Pool::bound(&cores).unwrap())),
        ("rayon", Box::new(Rayon(rayon))),
    ];
    for tokens in [257, 1025] {
        let input = numbers(tokens * WIDTH, 7);
        let row = || vec![0.0; tokens * WIDTH];
        let mut values = Values {
            tokens: row(),
            norm: row(),
            query: row(),
            key: row(),
            value: row(),
            wide: vec![0.0; 4 * tokens * WIDTH],
            heads: vec![PackedHead::new(Isa::detect()).unwrap(); HEADS],
        };
        let mut seconds = vec![Vec::new(); candidates.len()];
        for round in 0..=rounds {
            for ((_, split), seconds) in candidates.iter().zip(&mut seconds) {
                values.tokens.copy_from_slice(&input);
                std::thread::sleep(pause);
                let _bound = split.begin();
                let start = Instant::now();
                run(&**split, &blocks, &mut values).unwrap();
                // The first run fetches memory.
                if round > 0 {
                    seconds.push(start.elapsed().as_secs_f64());
                }
            }
        }
        println!("{tokens} tokens, {threads} threads, {BLOCKS} blocks, pause {pause:?}");
        for ((name, _), of) in candidates.iter().zip(&seconds) {
            let ratios = of.iter().zip(&seconds[0]).map(|(a, b)| a / b).collect();
            println!(
                "  {name:<9} {:7.2} ms (least {:.2}), {:.3} of 1 thread",
                1e3 * median(of.clone()),
                1e3 * of.iter().copied().fold(f64::INFINITY, f64::min),
                median(ratios)
            );
        }
    }
}
