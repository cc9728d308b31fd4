//! `andon bench`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde::Serialize;

use super::output::json_line;
use super::progress;
use super::source::check_size;
use crate::pipeline::Pipeline;
use crate::recipe::Recipe;
use crate::timing::{
    self, Against, Latency, Spread, Stage, Stages, against_plain, latency, rehearsal, stages,
};
use crate::vit::{Model, Threads};

/// What a station may take beyond its network, as a share of the network's time: the goal.
const GOAL: f64 = 0.10;

/// Pictures that take turns.
const PICTURES: usize = 8;

/// Arguments of `andon bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon bench
  andon bench -r bracket.andon --threads 1,2,4
  andon bench --size 224,448 --against plain --json

Without a recipe a small one is learned from the rendered line of `andon demo`. Stages are the median
over the images; ratios are taken image by image, or run by run where two engines take turns, so
that other work on the computer costs both alike. The station is the one of `andon run`: a trigger
goes to its socket, a camera exposes, and its line of text is awaited.")]
pub struct Args {
    /// Recipe to inspect by [default: one that is learned from the rendered line]
    #[arg(short = 'r', long = "recipe", value_name = "FILE.andon")]
    recipe: Option<PathBuf>,
    /// Sides of a square of the same area as the network's input, in pixels
    #[arg(
        long,
        value_name = "PX,...",
        value_delimiter = ',',
        default_value = "448",
        conflicts_with = "recipe"
    )]
    size: Vec<usize>,
    /// Cores that the network may use [default: all]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    threads: Vec<usize>,
    /// Bind threads to these cores, numbered from 0, one to each, the first of them where there are
    /// fewer threads [default: unbound]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    cores: Vec<usize>,
    /// Images to inspect, and parts for the station to judge, at each size
    #[arg(long, value_name = "N", default_value_t = 30)]
    images: usize,
    /// Size of the rendered pictures; larger where a recipe's region of interest needs it
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "640x480")]
    picture: PictureSize,
    /// Compare the network with another engine as well
    #[arg(long, value_enum, value_name = "ENGINE")]
    against: Option<Engine>,
    /// Leave out the station
    #[arg(long)]
    no_station: bool,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Manifest of another model (a .json file with its .onnx beside it) instead of the built-in
    /// one
    #[arg(long, value_name = "FILE.json")]
    model: Option<PathBuf>,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy)]
struct PictureSize([u32; 2]);

impl FromStr for PictureSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once('x').map(|(w, h)| [w.parse(), h.parse()]);
        match sides {
            Some([Ok(width @ 1..), Ok(height @ 1..)]) => Ok(Self([width, height])),
            _ => Err(format!("{text:?} is no size such as 1920x1080")),
        }
    }
}

/// Engines to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// `tract` alone, in float, without the fused operators
    Plain,
}

/// Everything that was measured.
#[derive(Serialize)]
struct Report {
    program: &'static str,
    model: String,
    kernels: String,
    cores: usize,
    measured: Vec<Measured>,
}

/// One size on so many threads.
#[derive(Serialize)]
struct Measured {
    recipe: String,
    /// Width and height of the network's input, pixels.
    input: [usize; 2],
    /// Columns and rows of such inputs that a picture is cut into.
    tiles: [usize; 2],
    /// Width and height of the pictures, pixels.
    picture: [u32; 2],
    threads: usize,
    /// Those that the threads were bound to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cores: Vec<usize>,
    stages: Stages,
    #[serde(skip_serializing_if = "Option::is_none")]
    against_plain: Option<Against>,
    #[serde(skip_serializing_if = "Option::is_none")]
    station: Option<Latency>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.images == 0 || args.threads.contains(&0) {
        bail!("--images and --threads must be at least 1");
    }
    let model = match &args.model {
        Some(path) => Model::open(path)?,
        None => Model::embedded()?,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let counts = match (&args.threads[..], &args.cores[..]) {
        ([], []) => vec![cores],
        ([], named) => vec![named.len()],
        (given, _) => given.to_vec(),
    };
    for &count in &counts {
        first(count, &args.cores)?;
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let recipes = recipes(args, &model, folder.path())?;
    let mut measured = Vec::new();
    for (path, recipe) in &recipes {
        for &count in &counts {
            let threads = Threads::asked(Some(count), first(count, &args.cores)?)
                .context("--threads, --cores")?;
            measured.push(measure(args, &model, path, recipe, &threads)?);
        }
    }
    let report = Report {
        program: crate::VERSION,
        model: model.manifest().name.clone(),
        kernels: format!("{:?}", andon_kernels::Isa::detect()),
        cores,
        measured,
    };
    if args.json {
        json_line(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// The first of these cores, one for each of so many threads; none if none are named.
fn first(threads: usize, cores: &[usize]) -> Result<&[usize]> {
    if cores.is_empty() {
        return Ok(cores);
    }
    cores.get(..threads).with_context(|| {
        let named = cores.len();
        format!("--threads {threads} needs as many --cores, and {named} are named")
    })
}

/// The recipes to measure, as files: the given one, or one a size.
fn recipes(args: &Args, model: &Model, folder: &Path) -> Result<Vec<(PathBuf, Recipe)>> {
    if let Some(path) = &args.recipe {
        return Ok(vec![(path.clone(), Recipe::read(path)?)]);
    }
    let patch = model.manifest().architecture.patch;
    let pictures = timing::pictures(PICTURES, args.picture.0, None)?;
    let threads = Threads::asked(None, &args.cores).context("--cores")?;
    let mut recipes = Vec::new();
    for &side in &args.size {
        check_size(side, patch)?;
        let waiting = progress::spinner("learn");
        waiting.set_message(format!("the rendered line at {side} px"));
        let mut recipe = rehearsal(model, &pictures, side, &threads, || waiting.tick())?;
        waiting.finish_and_clear();
        let path = folder.join(format!("rendered-{side}.andon"));
        recipe.write(&path)?;
        recipes.push((path, recipe));
    }
    Ok(recipes)
}

fn measure(
    args: &Args,
    model: &Model,
    path: &Path,
    recipe: &Recipe,
    threads: &Threads,
) -> Result<Measured> {
    let input = recipe.view.input;
    let bar = |what: &str, length| {
        let bar = progress::bar(length, what.to_string());
        bar.set_message(format!("{input}, {}", cores(threads.count())));
        bar
    };
    let done = |bar: ProgressBar| bar.finish_and_clear();
    let pictures = timing::pictures(PICTURES, args.picture.0, recipe.view.roi)?;
    let bound = threads.bind_caller()?;
    let pipeline = Pipeline::new(model, recipe, threads)
        .with_context(|| format!("cannot use recipe {}", path.display()))?;
    let inspecting = bar("inspect", args.images);
    let stages = stages(&pipeline, &pictures, args.images, || inspecting.inc(1))?;
    done(inspecting);
    drop(pipeline);
    let against_plain = match args.against {
        Some(Engine::Plain) => {
            let comparing = bar("compare", args.images);
            let against = against_plain(model, recipe, threads, args.images, || comparing.inc(1))?;
            done(comparing);
            Some(against)
        }
        None => None,
    };
    // The station has a thread of its own that judges.
    drop(bound);
    let station = if args.no_station {
        None
    } else {
        let running = bar("station", args.images);
        let model = args.model.as_deref();
        let latency = latency(path, model, &pictures, threads, args.images, || {
            running.inc(1)
        })?;
        done(running);
        Some(latency)
    };
    Ok(Measured {
        recipe: recipe.id.clone(),
        input: [input.width, input.height],
        tiles: [recipe.view.tiles.columns, recipe.view.tiles.rows],
        picture: pictures.first().map_or([0; 2], |p| p.dimensions().into()),
        threads: threads.count(),
        cores: threads.pool().cores().to_vec(),
        stages,
        against_plain,
        station,
    })
}

fn cores(threads: usize) -> String {
    match threads {
        1 => "1 thread".into(),
        n => format!("{n} threads"),
    }
}

fn print(report: &Report) {
    println!("andon {}, {}", report.program, report.model);
    println!("{} cores, kernels {}", report.cores, report.kernels);
    if let Some(most) = report.measured.iter().max_by_key(|m| m.cores.len())
        && !most.cores.is_empty()
    {
        println!("threads bound to cores {:?}", most.cores);
    }
    let label = |m: &Measured| format!("{:>4} x {:<4} {:>2}", m.input[0], m.input[1], m.threads);
    println!("\nInspection by stage: median in ms, and as a share of the network");
    println!(
        "   input px thr   network        prepare       spectral        regions          whole"
    );
    let stage = |s: &Stage| format!("{:7.1} {:4.1} %", s.ms, 100.0 * s.of_network);
    for m in &report.measured {
        let s = &m.stages;
        println!(
            "{}   {:7.1} {} {} {}        {:7.1}",
            label(m),
            s.network_ms,
            stage(&s.prepare),
            stage(&s.spectral),
            stage(&s.regions),
            s.whole.ms
        );
    }
    if let Some([columns, rows]) = report
        .measured
        .iter()
        .map(|m| m.tiles)
        .find(|t| *t != [1, 1])
    {
        println!("A picture is {columns}x{rows} tiles; the network's time is that of all of them.");
    }
    let compared = || {
        report
            .measured
            .iter()
            .filter_map(|m| Some((m, m.against_plain?)))
    };
    if compared().next().is_some() {
        println!(
            "\nThe network on fused operators against plain tract, one input: median in ms, and ratio"
        );
        println!("   input px thr     fused     plain    fused / plain");
        for (m, a) in compared() {
            println!(
                "{}   {:7.1}   {:7.1}            {:.3}",
                label(m),
                a.fused_ms,
                a.plain_ms,
                a.ratio
            );
        }
    }
    let stations = || report.measured.iter().filter_map(|m| Some((m, m.station?)));
    if stations().next().is_some() {
        println!("\nA station from trigger to output: median and 95th percentile in ms");
        println!("   input px thr         network          output  beyond network     share of it");
        let pair = |s: &Spread| format!("{:7.1} {:7.1}", s.median, s.p95);
        for (m, l) in stations() {
            println!(
                "{} {} {} {}   {:5.1} % {:5.1} %  {}",
                label(m),
                pair(&l.network_ms),
                pair(&l.output_ms),
                pair(&l.beyond_ms),
                100.0 * l.beyond_of_network.median,
                100.0 * l.beyond_of_network.p95,
                if l.beyond_of_network.median < GOAL {
                    "goal met: below 10 %"
                } else {
                    "above the goal of 10 %"
                }
            );
        }
    }
}
