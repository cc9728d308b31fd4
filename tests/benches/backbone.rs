//! The network on fused operators against plain `tract` in float: how far the taps are apart, and
//! how much time either takes.
//!
//! `cargo bench --bench backbone [-- [errors|times|kept|growth|tiles] [ROUNDS]]`, or `-- serve SIDE THREADS [KERNELS]`,
//! which runs the fused network, on the fastest kernels or slower ones such as `avx2`, once for each
//! line of standard input and answers with the seconds that it took (`against_rivals.py` beside this
//! file asks). Both engines run in turn, so that
//! other work on the machine costs both the same; the figure is the median of the ratios of
//! neighbouring runs. Times are of the wall clock. `kept` does the same for the fused network with
//! one, a quarter, a half and all of the patches kept, against the one that was told of no choice.
//! `tiles` sets four tiles one after the other against one input of twice the side, and against the
//! same tiles side by side, each on one thread.

use std::path::{Path, PathBuf};
use std::time::Instant;

use andon::image::{self, InputSize, Preparation};
use andon::pipeline::BLOCKS;
use andon::timing::median;
use andon::vit::{Backbone, Engine, Grid, Kept, Model, TapKind, TapRequest, Taps, Threads};
use andon_kernels::Isa;
use anyhow::{Context, Result};
use plotters::prelude::*;

const DATA: &str = "../shared/data";
const SIDES: [usize; 2] = [224, 448];
const KINDS: [TapKind; 4] = [
    TapKind::Query,
    TapKind::Key,
    TapKind::Value,
    TapKind::Tokens,
];

fn main() -> Result<()> {
    // Cargo passes `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| !w.starts_with("--"))
        .collect();
    let wants = |what| words.is_empty() || words.iter().any(|w| w == what);
    let rounds = words.iter().find_map(|w| w.parse().ok()).unwrap_or(15);
    let only_rounds = words.iter().all(|w| w.parse::<usize>().is_ok());
    let model = Model::embedded()?;
    if let [what, side, threads, isa @ ..] = &words[..]
        && what == "serve"
    {
        if let [isa] = isa {
            let known = Isa::ALL
                .iter()
                .find(|known| format!("{known:?}").eq_ignore_ascii_case(isa));
            Isa::slow_down_to(*known.with_context(|| format!("no kernels called {isa}"))?);
        }
        return serve(&model, side.parse()?, threads.parse()?);
    }
    println!("model {}", model.manifest().name);
    if only_rounds || wants("errors") {
        errors(&model)?;
    }
    if only_rounds || wants("times") {
        times(&model, rounds)?;
    }
    if wants("growth") && !only_rounds {
        growth(&model, rounds)?;
    }
    if wants("tiles") && !only_rounds {
        tiles(&model, rounds)?;
    }
    if only_rounds || wants("kept") {
        kept(&model, rounds)?;
    }
    Ok(())
}

fn every_tap(model: &Model) -> TapRequest {
    let blocks = 1..=model.manifest().architecture.blocks;
    TapRequest::new(blocks.flat_map(|block| KINDS.map(|kind| (block, kind))))
}

/// Relative L2 distance of every tap from that of plain `tract`, the worst over the pictures.
fn errors(model: &Model) -> Result<()> {
    for side in SIDES {
        let request = every_tap(model);
        let prepare = |engine| {
            Backbone::with_engine(model, (side, side), &request, &Threads::alone(), engine)
        };
        let (plain, fused) = (prepare(Engine::Plain)?, prepare(Engine::Fused)?);
        let inputs = inputs(model, side)?;
        let mut worst = vec![[0f64; 4]; model.manifest().architecture.blocks];
        for input in &inputs {
            let (expected, found) = (plain.run(input)?, fused.run(input)?);
            for (block, row) in worst.iter_mut().enumerate() {
                for (kind, cell) in KINDS.iter().zip(row) {
                    *cell = cell.max(distance(&expected, &found, block + 1, *kind)?);
                }
            }
        }
        println!(
            "\nfused against plain, {side} px, worst of {} pictures",
            inputs.len()
        );
        println!("block   query     key   value  tokens");
        for (block, row) in worst.iter().enumerate() {
            print!("{:5}", block + 1);
            row.iter().for_each(|cell| print!("  {cell:.4}"));
            println!();
        }
    }
    Ok(())
}

fn distance(expected: &Taps, found: &Taps, block: usize, kind: TapKind) -> Result<f64> {
    let tap = |taps: &Taps| -> Result<Vec<f32>> {
        let tap = taps.get(block, kind).context("a tap is missing")?;
        Ok(tap.rows().to_vec())
    };
    let (expected, found) = (tap(expected)?, tap(found)?);
    let square = |v: f32| f64::from(v).powi(2);
    let apart: f64 = expected
        .iter()
        .zip(&found)
        .map(|(a, b)| square(a - b))
        .sum();
    let length: f64 = expected.iter().map(|v| square(*v)).sum();
    Ok((apart / length).sqrt())
}

fn times(model: &Model, rounds: usize) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for side in SIDES {
        for count in [1, 2].into_iter().filter(|n| *n <= cores) {
            let threads = &Threads::new(count)?;
            let request = every_tap(model);
            let prepare =
                |engine| Backbone::with_engine(model, (side, side), &request, threads, engine);
            let (plain, fused) = (prepare(Engine::Plain)?, prepare(Engine::Fused)?);
            let input = vec![0.5; 3 * side * side];
            let pair = in_turn([&fused, &plain], &input, rounds)?;
            println!(
                "{side} px, {count} thread(s), every tap: fused / plain {:.3} (median of \
                 {rounds}); medians {:.0} and {:.0} ms",
                pair.ratio, pair.ms[0], pair.ms[1],
            );
        }
    }
    Ok(())
}

/// Two networks that ran in turn.
struct Pair {
    /// Median of first / second over neighbouring runs.
    ratio: f64,
    /// Medians in milliseconds.
    ms: [f64; 2],
}

fn in_turn(networks: [&Backbone; 2], input: &[f32], rounds: usize) -> Result<Pair> {
    let seconds = |backbone: &Backbone| -> Result<f64> {
        let start = Instant::now();
        backbone.run(input)?;
        Ok(start.elapsed().as_secs_f64())
    };
    let (mut ratios, mut times) = (vec![], [vec![], vec![]]);
    for round in 0..rounds + 1 {
        let [first, second] = [seconds(networks[0])?, seconds(networks[1])?];
        // The first runs fetch memory from the system.
        if round > 0 {
            ratios.push(first / second);
            times[0].push(first);
            times[1].push(second);
        }
    }
    Ok(Pair {
        ratio: median(&ratios),
        ms: times.map(|times| 1e3 * median(&times)),
    })
}

/// Fewer patches against all of them, for the taps that are compared unless others are asked for.
fn kept(model: &Model, rounds: usize) -> Result<()> {
    const SIDE: usize = 448;
    let patches = SIDE / model.manifest().architecture.patch;
    let grid = Grid {
        rows: patches,
        cols: patches,
    };
    let request = TapRequest::tokens(BLOCKS);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("\nkept patches against the whole frame, {SIDE} px, tokens of blocks {BLOCKS:?}");
    for count in [1, 2].into_iter().filter(|n| *n <= cores) {
        let threads = &Threads::new(count)?;
        // One patch shows what no mask saves: the patch embedding, most of all.
        for (rows, cols) in [(patches, patches), (2, 2), (2, 1), (1, 1)] {
            // The upper left: which patches they are changes no time.
            let inside = |patch: &usize| {
                patch / patches < patches / rows && patch % patches < patches / cols
            };
            let some = Kept::new(grid, inside).context("nothing is kept")?;
            let prepare = |kept: Option<&Kept>| {
                Backbone::with_kept(model, (SIDE, SIDE), kept, &request, threads, Engine::Fused)
            };
            let (all, some_of) = (prepare(None)?, prepare(Some(&some))?);
            let input = vec![0.5; 3 * SIDE * SIDE];
            let pair = in_turn([&some_of, &all], &input, rounds)?;
            println!(
                "{count} thread(s), {some}: {:.3} of the time (median of {rounds}); medians {:.1} \
                 and {:.1} ms",
                pair.ratio, pair.ms[0], pair.ms[1],
            );
        }
    }
    Ok(())
}

/// Four tiles one after the other against one input of twice the side, and against the same tiles
/// side by side.
fn tiles(model: &Model, rounds: usize) -> Result<()> {
    const TILES: usize = 4;
    let request = TapRequest::tokens(BLOCKS);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\n{TILES} tiles one after the other, tokens of blocks {BLOCKS:?}, median of {rounds}"
    );
    for side in SIDES {
        for threads in [1, 2].into_iter().filter(|n| *n <= cores) {
            let all = Threads::new(threads)?;
            let prepare = |side, on: &Threads| Backbone::new(model, (side, side), &request, on);
            let in_turn = prepare(side, &all)?;
            let input = vec![0.5; 3 * side * side];
            let one_by_one = || -> Result<()> {
                (0..TILES).try_for_each(|_| Ok(in_turn.run(&input).map(drop)?))
            };
            let large = prepare(2 * side, &all)?;
            let whole = vec![0.5; 12 * side * side];
            let at_once = || -> Result<()> { Ok(large.run(&whole).map(drop)?) };
            let alone: Vec<Backbone> = (0..threads)
                .map(|_| prepare(side, &Threads::alone()))
                .collect::<Result<_, _>>()?;
            let side_by_side = || -> Result<()> {
                std::thread::scope(|scope| {
                    let share = |network| {
                        let some = TILES / threads;
                        let input = &input;
                        scope.spawn(move || {
                            (0..some).try_for_each(|_| Backbone::run(network, input).map(drop))
                        })
                    };
                    let shares: Vec<_> = alone.iter().map(share).collect();
                    for share in shares {
                        share
                            .join()
                            .map_err(|_| anyhow::anyhow!("a thread panicked"))??;
                    }
                    Ok(())
                })
            };
            let ways: [&dyn Fn() -> Result<()>; 3] = [&one_by_one, &at_once, &side_by_side];
            let mut times = [const { Vec::new() }; 3];
            // In turn, so that other work on the machine costs all alike; the first fetch memory.
            for round in 0..rounds + 1 {
                for (way, times) in ways.iter().zip(&mut times) {
                    let start = Instant::now();
                    way()?;
                    if round > 0 {
                        times.push(1e3 * start.elapsed().as_secs_f64());
                    }
                }
            }
            let ratio = |way: usize| {
                let pairs = times[way].iter().zip(&times[0]);
                median(&pairs.map(|(time, tiles)| time / tiles).collect::<Vec<_>>())
            };
            println!(
                "{side} px, {threads} thread(s): {:.1} ms; one input of {} px {:.3} of it, side by \
                 side {:.3}",
                median(&times[0]),
                2 * side,
                ratio(1),
                ratio(2),
            );
        }
    }
    Ok(())
}

/// Time over patches on one thread, for few taps and for all.
fn growth(model: &Model, rounds: usize) -> Result<()> {
    const GRIDS: [usize; 7] = [14, 18, 23, 32, 40, 50, 64];
    let sizes = model.manifest().architecture;
    let curves = [
        ("tokens of blocks 5 to 8", TapRequest::tokens(BLOCKS)),
        ("tokens of all blocks", TapRequest::tokens(1..=sizes.blocks)),
        ("query, key, value, tokens of all", every_tap(model)),
    ];
    let mut drawn: Vec<(&str, Vec<(f64, f64)>)> = curves.each_ref().map(|c| (c.0, vec![])).into();
    println!("\nmilliseconds of one run, one thread, median of {rounds}");
    for grid in GRIDS {
        let side = grid * sizes.patch;
        let input = vec![0.5; 3 * side * side];
        let prepare = |(_, request)| Backbone::new(model, (side, side), request, &Threads::alone());
        let networks = curves
            .each_ref()
            .map(|(name, request)| prepare((name, request)));
        let mut times = [const { Vec::new() }; 3];
        // In turn, so that other work on the machine costs all alike; the first runs fetch memory.
        for round in 0..rounds + 1 {
            for (network, times) in networks.iter().zip(&mut times) {
                let network = network.as_ref().map_err(|e| anyhow::anyhow!("{e}"))?;
                let start = Instant::now();
                network.run(&input)?;
                if round > 0 {
                    times.push(1e3 * start.elapsed().as_secs_f64());
                }
            }
        }
        let medians = times.map(|times| median(&times));
        println!("{:5} patches  {medians:8.1?}", grid * grid);
        for ((_, points), ms) in drawn.iter_mut().zip(medians) {
            points.push(((grid * grid) as f64, ms));
        }
    }
    draw(&drawn, Path::new("docs/pictures/growth.svg"))
}

/// Both axes are logarithmic.
fn draw(curves: &[(&str, Vec<(f64, f64)>)], path: &Path) -> Result<()> {
    let root = SVGBackend::new(path, (720, 440)).into_drawing_area();
    root.fill(&WHITE)?;
    let most = curves.iter().flat_map(|(_, points)| points).map(|p| p.1);
    let most = most.fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (180f64..4400.0).log_scale(),
            (10f64..most * 1.3).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("patches")
        .y_desc("ms")
        .x_label_formatter(&|patches| format!("{patches:.0}"))
        .y_label_formatter(&|ms| format!("{ms:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for ((name, points), colour) in curves.iter().zip([BLUE, GREEN, RED]) {
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3);
        chart
            .draw_series(line)?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    println!("drawn: {}", path.display());
    Ok(())
}

fn serve(model: &Model, side: usize, threads: usize) -> Result<()> {
    let backbone = Backbone::new(
        model,
        (side, side),
        &every_tap(model),
        &Threads::new(threads)?,
    )?;
    let input = vec![0.5; 3 * side * side];
    for line in std::io::stdin().lines() {
        line?;
        let start = Instant::now();
        backbone.run(&input)?;
        println!("{}", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// One real picture of each set, as input of the network; a drawn one where there are none.
fn inputs(model: &Model, side: usize) -> Result<Vec<Vec<f32>>> {
    let colours = &model.manifest().input;
    let size = InputSize {
        width: side,
        height: side,
    };
    let preparation = Preparation::new(None, size, colours.mean, colours.std);
    let mut inputs = Vec::new();
    for set in ["screws", "tiles", "pcb"] {
        let folder = Path::new(DATA).join(set);
        if let Some(path) = first_picture(&folder) {
            let picture = image::read(&path)?;
            inputs.push(preparation.normalise(&preparation.crop(&picture)?));
        }
    }
    if inputs.is_empty() {
        eprintln!("{DATA} is not there: a drawn picture is used");
        let drawn = ::image::RgbImage::from_fn(side as u32, side as u32, |x, y| {
            ::image::Rgb([(x * y / 7) as u8, (x * 3 + y) as u8, (x ^ y) as u8])
        });
        inputs.push(preparation.normalise(&drawn));
    }
    Ok(inputs)
}

/// The first picture in a folder and the folders in it, by name.
fn first_picture(folder: &Path) -> Option<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    entries.sort();
    entries.into_iter().find_map(|path| {
        if path.is_dir() {
            return first_picture(&path);
        }
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        ["jpg", "jpeg", "png"]
            .contains(&extension.as_str())
            .then_some(path)
    })
}
