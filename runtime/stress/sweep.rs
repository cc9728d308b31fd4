use serde::Serialize;

use super::{Kind, Levels, Stress};
use crate::evaluate::{Evaluation, EvaluationError, GroundTruth, HitRule, Rate};
use crate::inspect::Inspection;

/// What became of the verdicts under one stress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StressFigures {
    /// What changed; `None` is the pictures as they came.
    pub stress: Option<Kind>,
    /// How much, in the kind's unit.
    pub level: Option<f32>,
    /// What the level counts.
    pub unit: &'static str,
    /// Probability that a bad image scores higher than a good one.
    pub image_auroc: Option<f64>,
    /// Good images with the verdict NG, at the recipe's own limit.
    pub false_reject: Rate,
    /// Bad images with the verdict OK, at the recipe's own limit.
    pub miss: Rate,
    /// Images that could not be judged.
    pub errors: usize,
}

impl StressFigures {
    /// The stress in words, such as `noise` and `8 grey levels`.
    pub fn words(&self) -> (String, String) {
        match (self.stress, self.level) {
            (Some(kind), Some(level)) => (kind.to_string(), kind.level_text(level)),
            _ => ("none".into(), String::new()),
        }
    }
}

/// Evaluations of the same images under many stresses, the unstressed pictures first.
#[derive(Debug, Clone)]
pub struct Sweep {
    cases: Vec<Case>,
}

#[derive(Debug, Clone)]
struct Case {
    stress: Option<Stress>,
    evaluation: Evaluation,
    errors: usize,
}

impl Sweep {
    /// A sweep over all levels of these, or over the usual ones of every kind if none are given.
    pub fn new(levels: &[Levels]) -> Self {
        let usual: Vec<Levels>;
        let levels = if levels.is_empty() {
            usual = Kind::ALL.map(Levels::usual).to_vec();
            &usual
        } else {
            levels
        };
        let stresses = levels.iter().flat_map(|Levels { kind, levels }| {
            let stress = |&level| Stress { kind: *kind, level };
            levels.iter().map(stress)
        });
        let case = |stress| Case {
            stress,
            // Regions are not compared: a stress that moves the picture moves the truth.
            evaluation: Evaluation::new(HitRule::Centre, false),
            errors: 0,
        };
        Self {
            cases: std::iter::once(None)
                .chain(stresses.map(Some))
                .map(case)
                .collect(),
        }
    }

    /// The stresses, in the order of the table; `None` is the picture as it came.
    pub fn stresses(&self) -> Vec<Option<Stress>> {
        self.cases.iter().map(|case| case.stress).collect()
    }

    /// Adds what came of an image of `size` = `[width, height]` pixels under stress number `case`;
    /// `None` when it could not be judged. Numbers beyond the last stress are passed over.
    ///
    /// # Errors
    /// When its score is not a number; it is not counted then.
    pub fn add(
        &mut self,
        case: usize,
        bad: bool,
        size: [u32; 2],
        inspection: Option<&Inspection>,
    ) -> Result<(), EvaluationError> {
        let Some(case) = self.cases.get_mut(case) else {
            return Ok(());
        };
        match inspection {
            None => case.errors += 1,
            Some(inspection) if bad => {
                let unknown = GroundTruth::default();
                case.evaluation.add_bad(inspection, size, &unknown)?;
            }
            Some(inspection) => {
                case.evaluation.add_good(inspection, size)?;
            }
        }
        Ok(())
    }

    /// One row a stress.
    pub fn figures(&self) -> Vec<StressFigures> {
        let row = |case: &Case| StressFigures {
            stress: case.stress.map(|stress| stress.kind),
            level: case.stress.map(|stress| stress.level),
            unit: case.stress.map_or("", |stress| stress.kind.unit()),
            image_auroc: case.evaluation.figures().image_auroc,
            false_reject: case.evaluation.false_reject(),
            miss: case.evaluation.miss(),
            errors: case.errors,
        };
        self.cases.iter().map(row).collect()
    }
}
