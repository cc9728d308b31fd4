//! Figures of several draws, and their tables.

use andon::evaluate::auroc;
use andon::stress::Stress;

/// What became of the pictures of one draw in one case.
pub struct Outcome {
    auroc: f64,
    false_rejects: [usize; 2],
    misses: [usize; 2],
}

impl Outcome {
    pub fn new(good: &[f64], bad: &[f64]) -> Self {
        Self {
            auroc: auroc(good, bad).unwrap_or(f64::NAN),
            false_rejects: [good.iter().filter(|s| **s >= 1.0).count(), good.len()],
            misses: [bad.iter().filter(|s| **s < 1.0).count(), bad.len()],
        }
    }
}

/// Mean AUROC, and shares over all draws.
fn together<'a>(outcomes: impl Iterator<Item = &'a Outcome> + Clone) -> [f64; 3] {
    let count = outcomes.clone().count() as f64;
    let share = |of: fn(&Outcome) -> [usize; 2]| {
        let sum = outcomes.clone().map(of);
        let [some, all] = sum.fold([0, 0], |[a, b], [c, d]| [a + c, b + d]);
        some as f64 / all as f64
    };
    [
        outcomes.clone().map(|o| o.auroc).sum::<f64>() / count,
        share(|o| o.false_rejects),
        share(|o| o.misses),
    ]
}

/// One table a recipe, the mean under all stresses last.
pub fn print(blocks: &[usize], parts: usize, rows: &[(Option<Stress>, Vec<Outcome>)]) {
    let names: Vec<String> = blocks.iter().map(ToString::to_string).collect();
    let line = |stress: &str, level: &str, [auroc, rejects, misses]: [f64; 3], each: &str| {
        println!("| {stress} | {level} | {auroc:.3} | {rejects:.3} | {misses:.3} | {each} |");
    };
    println!("\nblocks {}, {parts} parts\n", names.join(","));
    println!("| stress | level | AUROC | false rejects | misses | AUROC of each draw |");
    println!("|---|---|---|---|---|---|");
    for (stress, outcomes) in rows {
        let each: Vec<String> = outcomes.iter().map(|o| format!("{:.3}", o.auroc)).collect();
        let (name, level) = match stress {
            Some(Stress { kind, level }) => (kind.to_string(), kind.level_text(*level)),
            None => ("as they came".into(), String::new()),
        };
        line(&name, &level, together(outcomes.iter()), &each.join(" "));
    }
    let stressed = rows.iter().filter(|(stress, _)| stress.is_some());
    let all = stressed.flat_map(|(_, outcomes)| outcomes);
    line("mean of all stresses", "", together(all), "");
}
