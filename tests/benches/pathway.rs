//! How often a flagged region names the right pathway, by kind of defect, on rendered lines; how
//! well the layout tells each kind from good parts beside the patch score; and what regions say
//! about missing screws on the real images of `../shared/data`.
//!
//! `cargo bench --bench pathway`. `ANDON_BENCH_SEEDS` names the lines, `21,22,23` by default (the
//! definition was found on lines 11 and 12); `ANDON_BENCH_PARTS` how many parts of each kind, 8 by
//! default. A region belongs to the defect when a tenth of it lies on the defect's mask.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/pathways.rs"]
mod pathways;

use std::array;
use std::env;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use andon::camera::rendered::{DefectKind, Pathway};
use andon::evaluate::auroc;
use andon::image::{self, InputSize};
use andon::normal::PatchScores;
use andon::pipeline::{Lesson, Pipeline};
use andon::recipe::{PartRecord, Place};
use andon::vit::{Model, Threads};
use pathways::{Flagged, Judged, Product};

const LEARNED: u64 = 16;
const SCREWS: &str = "../shared/data/screws";

fn main() {
    let seeds = env::var("ANDON_BENCH_SEEDS").unwrap_or_else(|_| "21,22,23".into());
    let parts: u64 = env::var("ANDON_BENCH_PARTS").map_or(8, |v| v.parse().unwrap());
    let threads = &Threads::asked(None, &[]).unwrap();
    let mut rows: Vec<Row> = DefectKind::ALL.into_iter().map(Row::new).collect();
    let mut good = Scores::default();
    for seed in seeds.split(',') {
        let product = Product::learn(seed.parse().unwrap(), LEARNED, threads);
        println!("line {seed}: place {:?}", product.recipe.normal.gate);
        time_layout(&product);
        good.lines.push(Default::default());
        let mut index = LEARNED;
        for _ in 0..2 * parts {
            good.add(&product.judge(index, None));
            index += 1;
        }
        for row in &mut rows {
            row.scores.lines.push(Default::default());
            for _ in 0..parts {
                row.add(product.judge(index, Some(row.kind)));
                index += 1;
            }
        }
    }
    print(&rows);
    print_layout(&rows, &good);
    screws(threads);
}

/// All parts with one kind of defect.
struct Row {
    kind: DefectKind,
    parts: usize,
    flagged: usize,
    elsewhere: usize,
    regions: Vec<Flagged>,
    scores: Scores,
}

/// Scores of parts in units of their limits: of the patches, by the layout.
#[derive(Default)]
struct Scores {
    /// By line.
    lines: Vec<[Vec<f64>; 2]>,
}

impl Scores {
    fn add(&mut self, judged: &Judged) {
        let [patches, layout] = self.lines.last_mut().unwrap();
        patches.push(judged.score.into());
        layout.push(judged.layout.into());
    }

    /// How well each of the two tells these parts from good ones of their line: the mean over the
    /// lines, because a limit of one line is none of another.
    fn auroc(&self, good: &Self) -> [f64; 2] {
        array::from_fn(|by| {
            let pairs = self.lines.iter().zip(&good.lines);
            let each = pairs.map(|(bad, good)| auroc(&good[by], &bad[by]).unwrap());
            each.sum::<f64>() / self.lines.len() as f64
        })
    }

    /// Parts at or above each limit, those above that of the layout alone, and all.
    fn above(&self) -> [usize; 4] {
        let pairs = || {
            let lines = self.lines.iter();
            lines.flat_map(|[patches, layout]| patches.iter().zip(layout))
        };
        let count = |counts: &dyn Fn(bool, bool) -> bool| {
            let beyond = pairs().filter(|(p, l)| counts(**p >= 1.0, **l >= 1.0));
            beyond.count()
        };
        [
            count(&|patches, _| patches),
            count(&|_, layout| layout),
            count(&|patches, layout| layout && !patches),
            pairs().count(),
        ]
    }
}

impl Row {
    fn new(kind: DefectKind) -> Self {
        Self {
            kind,
            parts: 0,
            flagged: 0,
            elsewhere: 0,
            regions: Vec::new(),
            scores: Scores::default(),
        }
    }

    fn add(&mut self, judged: Judged) {
        self.scores.add(&judged);
        self.parts += 1;
        self.flagged += usize::from(judged.flagged.is_some());
        for region in judged.flagged.into_iter().flatten() {
            if region.on_defect {
                self.regions.push(region);
            } else {
                self.elsewhere += 1;
            }
        }
    }

    /// Regions told right, by a share of *what*.
    fn right(&self, share: impl Fn(&Flagged) -> f32) -> usize {
        let told_what = self.regions.iter().filter(|&r| share(r) >= 0.5).count();
        match self.kind.pathway() {
            Pathway::What => told_what,
            Pathway::Where => self.regions.len() - told_what,
        }
    }
}

fn print(rows: &[Row]) {
    println!(
        "\n| defect | is | parts | flagged | regions on it | elsewhere | told what | told where | \
         share of what (10, 50, 90 %) | right | without turned | within the gate |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        let what = row.regions.iter().filter(|r| r.what >= 0.5).count();
        let mut shares: Vec<f32> = row.regions.iter().map(|r| r.what).collect();
        shares.sort_by(f32::total_cmp);
        let quantile = |q: f64| {
            let at = (q * shares.len().saturating_sub(1) as f64).round() as usize;
            shares.get(at).map_or("-".into(), |v| format!("{v:.2}"))
        };
        println!(
            "| {} | {} | {} | {} | {} | {} | {what} | {} | {} {} {} | {} | {} | {} |",
            row.kind,
            row.kind.pathway().as_str(),
            row.parts,
            row.flagged,
            row.regions.len(),
            row.elsewhere,
            row.regions.len() - what,
            quantile(0.1),
            quantile(0.5),
            quantile(0.9),
            row.right(|r| r.what),
            row.right(|r| r.plain),
            row.right(|r| r.gated),
        );
    }
    for (name, kept) in [
        ("all kinds", &(|_: &Row| true) as &dyn Fn(&Row) -> bool),
        ("all but missing screws", &|row: &Row| {
            row.kind != DefectKind::MissingScrew
        }),
    ] {
        let rows: Vec<&Row> = rows.iter().filter(|row| kept(row)).collect();
        let all: usize = rows.iter().map(|row| row.regions.len()).sum();
        let share = |of: fn(&Flagged) -> f32| {
            let right: usize = rows.iter().map(|row| row.right(of)).sum();
            format!("{right} ({:.1} %)", 100.0 * right as f64 / all as f64)
        };
        println!(
            "{name}: {all} regions, right {}, without turned patches {}, by the gate alone {}",
            share(|r| r.what),
            share(|r| r.plain),
            share(|r| r.gated)
        );
    }
}

/// What the layout costs for one image, when its patches are scored already.
fn time_layout(product: &Product) {
    let composition = product.recipe.composition.as_ref().unwrap();
    let patches = product.recipe.normal.grid.patches();
    let scores = PatchScores {
        score: Vec::new(),
        anywhere: Vec::new(),
        nearest: Vec::new(),
        leading: vec![0.01; 24 * patches],
    };
    let time = |_| {
        let start = Instant::now();
        black_box(composition.score(black_box(&scores))).unwrap();
        start.elapsed()
    };
    let mut times: Vec<_> = (0..1000).map(time).collect();
    times.sort();
    println!("layout of {patches} patches: median {:.1?}", times[500]);
}

/// The layout beside the patch score, which alone decides.
fn print_layout(rows: &[Row], good: &Scores) {
    println!(
        "\n| parts | is | number | image AUROC, patches | layout | at the limit or above, patches | \
         layout | layout alone |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let [patches, layout, alone, all] = good.above();
    println!("| good | | {all} | | | {patches} | {layout} | {alone} |");
    for row in rows {
        let [by_patches, by_layout] = row.scores.auroc(good);
        let [patches, layout, alone, all] = row.scores.above();
        println!(
            "| {} | {} | {all} | {by_patches:.2} | {by_layout:.2} | {patches} | {layout} | {alone} |",
            row.kind,
            row.kind.pathway().as_str(),
        );
    }
    for pathway in [Pathway::Where, Pathway::What] {
        let rows: Vec<_> = rows
            .iter()
            .filter(|row| row.kind.pathway() == pathway)
            .collect();
        let [patches, layout] = array::from_fn(|by| {
            let each = rows.iter().map(|row| row.scores.auroc(good)[by]);
            each.sum::<f64>() / rows.len() as f64
        });
        println!(
            "all {} kinds: image AUROC of the patches {patches:.3}, of the layout {layout:.3}",
            pathway.as_str()
        );
    }
}

/// Missing screws under a hand-held camera: what the regions say when the parts decide whether
/// place counts, and when it is made to count.
fn screws(threads: &Threads) {
    if !Path::new(SCREWS).is_dir() {
        eprintln!("SKIPPED: {SCREWS} is not there, so nothing was measured on real screws");
        return;
    }
    let files = |folder: &str| {
        let mut paths: Vec<_> = std::fs::read_dir(format!("{SCREWS}/{folder}"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
    };
    let model = Model::embedded().unwrap();
    for place in [Place::Decide, Place::Counts] {
        let mut settings = common::settings();
        settings.options.place = place;
        let good = files("good");
        let shape = image::read_dimensions(&good[0]).unwrap();
        settings.view.input = InputSize::for_content(448, 14, shape);
        let mut lesson = Lesson::new(&model, settings, threads).unwrap();
        for path in good.iter().step_by(2) {
            let record = PartRecord {
                file: String::new(),
                sha256: String::new(),
            };
            lesson.add(record, &image::read(path).unwrap()).unwrap();
        }
        let recipe = lesson.finish(|_, _| {}).unwrap();
        let pipeline = Pipeline::new(&model, &recipe, threads).unwrap();
        let bad = files("bad");
        let mut shares = Vec::new();
        let mut flagged = 0;
        for path in &bad {
            let found = pipeline
                .inspect(&image::read(path).unwrap())
                .unwrap()
                .inspection;
            flagged += usize::from(!found.regions.is_empty());
            shares.extend(found.regions.iter().map(|region| region.what));
        }
        shares.sort_by(f32::total_cmp);
        let told_where = shares.iter().filter(|&&what| what < 0.5).count();
        println!(
            "real screws, 8 learned, place {place:?} (counts: {}): {flagged} of {} flagged, {} \
             regions, {told_where} told where, median share of what {:.2}",
            recipe.normal.gate.is_some(),
            bad.len(),
            shares.len(),
            shares.get(shares.len() / 2).copied().unwrap_or(f32::NAN)
        );
    }
}
