//! `andon group`.

mod gather;
mod name;
mod pictures;
mod record;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::gather::Gathered;
use self::name::NameCommand;
use self::pictures::Pictures;
use self::record::{Record, Seconds};
use super::explain::blocks::BlockList;
use super::files;
use super::learn;
use super::output::{now, peak_rss_mb, rounded, write_page};
use super::progress;
use super::source::{Engine, check_size};
use crate::explain::MOST_GROUPS;
use crate::group::{
    Areas, Budget, Grouping, GroupingOrigin, PathwayGroups, PathwayRows, Settings, group,
};
use crate::image::InputSize;
use crate::inspect::Pathway;
use crate::pipeline::BLOCKS;
use crate::report::GroupingReport;
use crate::vit::{Grid, Model};

/// Name of the file of groups.
const FILE: &str = "groups.safetensors";

/// Arguments of `andon group`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  andon group parts/good -o out --groups 6
  andon group name out/groups.safetensors 3 \"screw head\"
  andon inspect -r bracket.andon parts/new --groups out/groups.safetensors

Into the folder go a contact sheet a group (what-1.png, where-1.png, ...), groups.json with areas in
every image, groups.html, one page that shows all of it, and groups.safetensors, which gives the same
groups to new images.

Time grows linearly with the number of images, memory does not. Features go to disk: with 4 blocks
18 kB a patch.")]
pub struct Args {
    #[command(subcommand)]
    name: Option<NameCommand>,
    /// Images, or folders of images
    #[arg(required = true, value_name = "IMAGE|DIR")]
    images: Vec<PathBuf>,
    /// Folder to write into; it is made if need be
    #[arg(short, long, value_name = "DIR", required = true)]
    output: Option<PathBuf>,
    /// Side of a square of the area of the network's input, in pixels
    #[arg(long, value_name = "PX", default_value_t = 448)]
    size: usize,
    /// Blocks to compare, all together, such as 5,6,7,8 or 5-8 [default: 5-8]
    #[arg(long, value_name = "LIST")]
    blocks: Option<BlockList>,
    /// Groups to cut into, 2 to 8 [default: as many as the largest gap of the eigenvalues says]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=MOST_GROUPS as i64))]
    groups: Option<u8>,
    /// Memory for the passes over the features, the network not counted
    #[arg(long, value_name = "SIZE", default_value = "512M")]
    memory: Budget,
    /// Keep the features as Parquet in this folder [default: a temporary one in the output folder]
    #[arg(long, value_name = "DIR")]
    shards: Option<PathBuf>,
    #[command(flatten)]
    engine: Engine,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    if let Some(command) = &args.name {
        return name::run(command);
    }
    let output = args.output.as_deref().context("no output folder")?;
    let found = files::collect(&args.images)?;
    found.report_skipped();
    let model = args.engine.load()?;
    let threads = args.engine.threads()?;
    let plan = Plan::new(args, &model, &found.images, threads.count())?;
    std::fs::create_dir_all(output)
        .with_context(|| format!("cannot make folder {}", output.display()))?;
    let temporary;
    let folder = match &args.shards {
        Some(folder) => kept_folder(folder)?,
        None => {
            temporary = tempfile::Builder::new()
                .prefix(".features-")
                .tempdir_in(output)?;
            temporary.path()
        }
    };
    let start = Instant::now();
    let gathered = Gathered::gather(&plan, &model, &found.images, folder, &threads)?;
    let network = start.elapsed();

    let start = Instant::now();
    let settings = Settings {
        groups: args.groups.map(usize::from),
        workers: plan.workers,
        pool: threads.pool(),
    };
    let (what, what_areas) = pass(&plan, Pathway::What, &gathered, settings)?;
    let (where_, where_areas) = pass(&plan, Pathway::Where, &gathered, settings)?;
    let passes = start.elapsed();

    let mut grouping = Grouping {
        origin: GroupingOrigin {
            created: now(),
            program: crate::VERSION.into(),
            model_name: model.manifest().name.clone(),
            model_sha256: model.manifest().sha256.clone(),
            images: gathered.images.len(),
            input: [plan.input.width, plan.input.height],
        },
        blocks: plan.blocks.clone(),
        pathways: [what, where_],
    };
    let file = output.join(FILE);
    keep_names(&mut grouping, &file);
    grouping.write(&file)?;
    let areas = [what_areas, where_areas];
    let start = Instant::now();
    let pictures = Pictures::draw(&grouping, &gathered, &areas, plan.grid)?;
    pictures.save(&grouping, output)?;
    let seconds = Seconds {
        network: rounded(network.as_secs_f64()),
        passes: rounded(passes.as_secs_f64()),
        pictures: rounded(start.elapsed().as_secs_f64()),
    };
    let record = Record::new(&grouping, &areas, &gathered, plan.grid, seconds);
    record.write(&output.join("groups.json"))?;
    let report = GroupingReport {
        title: "What and where in many images".into(),
        date: now(),
        pathways: pictures.listed(&grouping)?,
        images: pictures.images()?,
        failed: gathered.failed.clone(),
        identity: identity(args, &plan, &grouping, seconds),
    };
    write_page(&output.join("groups.html"), &report.html())?;
    eprintln!("{}", summary(&grouping, seconds));
    Ok(ExitCode::from(if gathered.failed.is_empty() {
        0
    } else {
        2
    }))
}

/// What is looked at, and how.
struct Plan {
    blocks: Vec<usize>,
    input: InputSize,
    grid: Grid,
    workers: usize,
}

impl Plan {
    fn new(args: &Args, model: &Model, images: &[PathBuf], threads: usize) -> Result<Self> {
        let sizes = model.manifest().architecture;
        check_size(args.size, sizes.patch)?;
        let blocks = BlockList::or(args.blocks.as_ref(), BLOCKS.into(), sizes.blocks)?;
        let input = InputSize::for_content(
            args.size,
            sizes.patch,
            learn::common_size(learn::sizes(images)?),
        );
        let grid = Grid {
            rows: input.height / sizes.patch,
            cols: input.width / sizes.patch,
        };
        let workers = args
            .memory
            .workers(blocks.len(), sizes.dim, grid.patches(), threads)?;
        Ok(Self {
            blocks,
            input,
            grid,
            workers,
        })
    }

    fn rows(&self, pathway: Pathway) -> PathwayRows {
        PathwayRows {
            pathway,
            blocks: self.blocks.clone(),
        }
    }
}

/// A folder of shards that is to be kept, which must not hold those of other images.
fn kept_folder(folder: &Path) -> Result<&Path> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make folder {}", folder.display()))?;
    if andon_shards::open_folder(folder).is_ok() {
        bail!(
            "folder {} holds shards already: name another for --shards, or empty it",
            folder.display()
        );
    }
    Ok(folder)
}

fn pass(
    plan: &Plan,
    pathway: Pathway,
    gathered: &Gathered,
    settings: Settings<'_>,
) -> Result<(PathwayGroups, Areas)> {
    // Each image is read in four passes.
    let bar = progress::bar(4 * gathered.images.len(), pathway.as_str());
    let rows = plan.rows(pathway);
    let grouped = group(&gathered.shards, &rows, settings, &|| bar.inc(1))?;
    bar.finish_and_clear();
    Ok(grouped)
}

/// Groups that have the same id as in the file that is there keep their names.
fn keep_names(grouping: &mut Grouping, file: &Path) {
    let Ok(before) = Grouping::read(file) else {
        return;
    };
    let named = before.pathways.into_iter().flat_map(|p| p.groups);
    for group in named.filter(|group| group.name.is_some()) {
        let all = grouping.pathways.iter_mut().flat_map(|p| &mut p.groups);
        for same in all.filter(|other| other.id == group.id) {
            same.name.clone_from(&group.name);
        }
    }
}

fn identity(
    args: &Args,
    plan: &Plan,
    grouping: &Grouping,
    seconds: Seconds,
) -> Vec<(String, String)> {
    let origin = &grouping.origin;
    let blocks: Vec<String> = plan.blocks.iter().map(ToString::to_string).collect();
    let memory = peak_rss_mb().map_or_else(|| "not known".into(), |mb| format!("{mb:.0} MB"));
    [
        ("program", format!("andon {}", origin.program)),
        (
            "model",
            format!("{} ({})", origin.model_name, origin.model_sha256),
        ),
        ("images", origin.images.to_string()),
        ("input", format!("{}, {}", plan.input, plan.grid)),
        ("blocks", format!("{}, together", blocks.join(", "))),
        ("what", "cosine of values".into()),
        (
            "where",
            "cosine of query + key, a linear stand-in for attention".into(),
        ),
        (
            "groups by",
            if args.groups.is_some() {
                "number asked"
            } else {
                "largest gap of the eigenvalues"
            }
            .into(),
        ),
        (
            "time",
            format!(
                "network {:.1} s, passes {:.1} s, pictures {:.1} s",
                seconds.network, seconds.passes, seconds.pictures
            ),
        ),
        ("most memory", format!("{memory}, the network included")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn summary(grouping: &Grouping, seconds: Seconds) -> String {
    let [what, where_] = grouping.pathways.each_ref().map(|p| p.groups.len());
    format!(
        "{} images: {what} groups by what, {where_} by where; network {:.1} s, passes {:.1} s, \
         pictures {:.1} s",
        grouping.origin.images, seconds.network, seconds.passes, seconds.pictures
    )
}
