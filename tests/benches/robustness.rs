//! How a recipe stands other light, lenses, sensors and poses: by blocks of the network, and by the
//! number of parts it was learned from. On the real images of `../shared/data` and on a rendered
//! line.
//!
//! `cargo bench --bench robustness`. `ANDON_BENCH_SETS` names the sets, `screws,tiles,line` by
//! default; `ANDON_BENCH_STUDY` what is compared: `stress` (the usual recipe under every level of
//! every stress), `blocks` (all blocks against single ones) or `parts` (few against many), the last
//! two under the highest levels only; `ANDON_BENCH_DRAWS` the draws of the learned parts, `1,2,3` by
//! default, those of `andon learn --take N --seed`. The network looks at each picture once under
//! each stress, and all recipes score what it saw.

#[path = "robustness/sets.rs"]
mod sets;
#[path = "robustness/table.rs"]
mod table;

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use andon::image::Roi;
use andon::inspect::Inspector;
use andon::normal::Features;
use andon::pipeline::{BLOCKS, FrontEnd, LearnSettings, Lesson};
use andon::recipe::{LearnOptions, PartRecord};
use andon::stress::{Kind, Stress};
use andon::vit::{Model, TapRequest, Threads};
use anyhow::{Context, Result, bail};
use sets::Set;
use table::{Outcome, print};

fn main() -> Result<()> {
    let variable = |name, usual: &str| env::var(name).unwrap_or_else(|_| usual.into());
    let draws = variable("ANDON_BENCH_DRAWS", "1,2,3");
    let draws: Vec<u64> = draws
        .split(',')
        .map(|draw| draw.parse().context("ANDON_BENCH_DRAWS"))
        .collect::<Result<_>>()?;
    let model = Model::embedded()?;
    for name in variable("ANDON_BENCH_SETS", "screws,tiles,line").split(',') {
        let Some(set) = Set::load(name)? else {
            continue;
        };
        for study in variable("ANDON_BENCH_STUDY", "stress,blocks,parts").split(',') {
            let plan = Plan::new(study, &set)?;
            println!("\n## {name}: {study}\n");
            compare(&model, &set, &plan, &draws)?;
        }
    }
    Ok(())
}

/// What is compared with what.
struct Plan {
    /// Blocks and number of parts of each recipe.
    recipes: Vec<(Vec<usize>, usize)>,
    /// `None` is the picture as it came.
    cases: Vec<Option<Stress>>,
}

impl Plan {
    fn new(study: &str, set: &Set) -> Result<Self> {
        let usual = || (BLOCKS.to_vec(), set.learned);
        let recipes = match study {
            "stress" => vec![usual()],
            "blocks" => [BLOCKS.to_vec(), (1..=12).collect()]
                .into_iter()
                .chain((1..=12).map(|block| vec![block]))
                .map(|blocks| (blocks, set.learned))
                .collect(),
            "parts" => [1, 2, 4, 8, 16, 32, 64]
                .into_iter()
                .filter(|&parts| parts <= set.good.len() / 2)
                .map(|parts| (BLOCKS.to_vec(), parts))
                .collect(),
            other => bail!("no study is called {other:?}"),
        };
        let levels = |kind: Kind| {
            let all = kind.levels();
            match study {
                "stress" => all.to_vec(),
                _ if matches!(kind, Kind::Brightness | Kind::Temperature | Kind::Gamma) => {
                    vec![all[0], all[all.len() - 1]]
                }
                // The highest levels of these fill the picture with its repeated edge.
                _ if matches!(kind, Kind::Shift | Kind::Rotation) => vec![all[1]],
                _ => vec![all[all.len() - 1]],
            }
        };
        let stress = |kind| {
            let levels = levels(kind).into_iter();
            levels.map(move |level| Some(Stress { kind, level }))
        };
        let stresses = Kind::ALL.into_iter().flat_map(stress);
        Ok(Self {
            recipes,
            cases: std::iter::once(None).chain(stresses).collect(),
        })
    }
}

/// A learned recipe, ready to score.
struct Learned {
    blocks: Vec<usize>,
    inspector: Inspector,
    /// Numbers of the good pictures that it was learned from.
    parts: Vec<usize>,
}

/// Learns every recipe for every draw, scores all pictures in all cases, and prints.
fn compare(model: &Model, set: &Set, plan: &Plan, draws: &[u64]) -> Result<()> {
    let lessons: Vec<_> = plan
        .recipes
        .iter()
        .flat_map(|(blocks, parts)| draws.iter().map(move |&draw| (blocks, *parts, draw)))
        .collect();
    let learned = in_parallel(
        lessons.len(),
        || Ok(()),
        |(), number| {
            let (blocks, parts, draw) = &lessons[number];
            learn(model, set, blocks, set.draw(*parts, *draw))
        },
    )?;
    let pictures = set.good.len() + set.bad.len();
    let blocks: Vec<usize> = plan.recipes.iter().flat_map(|(b, _)| b.clone()).collect();
    let last = *blocks.iter().max().context("no blocks")?;
    let front = || {
        let besides = TapRequest::tokens(blocks.iter().copied());
        Ok(FrontEnd::with_taps(
            model,
            &set.view,
            &[last],
            &besides,
            &Threads::alone(),
        )?)
    };
    // Pictures of one shape follow each other, so that few networks are prepared.
    let order = set.by_shape();
    let cases = plan.cases.len();
    let scores = in_parallel(pictures * cases, front, |front, number| {
        let picture = set.picture(order[number / cases]);
        let altered = match plan.cases[number % cases] {
            Some(stress) => &stress.apply(picture)?,
            None => picture,
        };
        let taps = front.see(altered)?.taps.context("no taps")?;
        let mut seen: Vec<(&[usize], Features)> = Vec::new();
        let mut scores = Vec::with_capacity(learned.len());
        for recipe in &learned {
            if !seen.iter().any(|(blocks, _)| *blocks == recipe.blocks) {
                let features =
                    Features::from_taps(&taps, &recipe.blocks, &andon_kernels::Pool::alone())?;
                seen.push((&recipe.blocks, features));
            }
            let known = seen.iter().find(|(blocks, _)| *blocks == recipe.blocks);
            let (_, features) = known.context("no features")?;
            scores.push(score(&recipe.inspector, features)?);
        }
        Ok(scores)
    })?;
    let mut place = vec![0; pictures];
    order
        .iter()
        .enumerate()
        .for_each(|(at, &picture)| place[picture] = at);
    let outcome = |recipe: usize, case: usize| {
        let of = |range: std::ops::Range<usize>| -> Vec<f64> {
            let left = range.filter(|picture| !learned[recipe].parts.contains(picture));
            left.map(|picture| scores[place[picture] * cases + case][recipe])
                .collect()
        };
        Outcome::new(&of(0..set.good.len()), &of(set.good.len()..pictures))
    };
    for (number, (blocks, parts)) in plan.recipes.iter().enumerate() {
        let rows: Vec<_> = (0..plan.cases.len())
            .map(|case| {
                let of_draw = |draw| outcome(number * draws.len() + draw, case);
                let outcomes = (0..draws.len()).map(of_draw).collect();
                (plan.cases[case], outcomes)
            })
            .collect();
        print(blocks, *parts, &rows);
    }
    Ok(())
}

fn learn(model: &Model, set: &Set, blocks: &[usize], parts: Vec<usize>) -> Result<Learned> {
    let settings = LearnSettings {
        name: "robustness".into(),
        view: set.view.clone(),
        blocks: blocks.into(),
        options: LearnOptions::default(),
        created: String::new(),
    };
    let mut lesson = Lesson::new(model, settings, &Threads::alone())?;
    for &part in &parts {
        let record = PartRecord {
            file: String::new(),
            sha256: String::new(),
        };
        lesson.add(record, set.picture(part))?;
    }
    let recipe = lesson.finish(|_, _| {})?;
    Ok(Learned {
        blocks: blocks.into(),
        inspector: Inspector::new(recipe.normal, recipe.limits)?,
        parts,
    })
}

fn score(inspector: &Inspector, features: &Features) -> Result<f64> {
    let scores = inspector.score(features)?;
    let whole = Roi::whole(1000, 1000);
    Ok(inspector.judge(features, &scores, whole).score.into())
}

/// Does jobs `0..count` on all cores; each worker prepares something of its own first.
fn in_parallel<P, T: Send>(
    count: usize,
    prepare: impl Fn() -> Result<P> + Sync,
    job: impl Fn(&P, usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || -> Result<()> {
        let prepared = prepare()?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            let result = job(&prepared, number)?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((number, result));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let result = worker.join();
            result.unwrap_or_else(|_| bail!("a worker panicked"))
        })
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
