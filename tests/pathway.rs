//! Whether a flagged region says rightly that a thing is wrong, or in the wrong place. The full
//! table comes from `cargo bench --bench pathway`; this holds the floor, on a line that nothing was
//! tuned on.

mod common;
#[path = "common/pathways.rs"]
mod pathways;

use andon::camera::rendered::{DefectKind, Pathway};
use pathways::Product;

/// Good parts to learn.
const LEARNED: u64 = 12;

#[test]
fn flagged_regions_name_the_right_pathway() {
    let product = Product::learn(31, LEARNED, 1);
    assert!(product.recipe.normal.gate.is_some(), "parts lie alike");
    let kinds = DefectKind::ALL
        .into_iter()
        // The hole under a missing screw is something that no good part shows: it is told as a
        // wrong thing, and the page on what and where says so.
        .filter(|&kind| kind != DefectKind::MissingScrew);
    let (mut right, mut all, mut missed) = (0, 0, Vec::new());
    for (kind, index) in kinds.zip(LEARNED..) {
        let Some(flagged) = product.judge(index, Some(kind)) else {
            missed.push(kind);
            continue;
        };
        for region in flagged.iter().filter(|region| region.on_defect) {
            let told = if region.what >= 0.5 {
                Pathway::What
            } else {
                Pathway::Where
            };
            all += 1;
            right += usize::from(told == kind.pathway());
            println!("{kind}: what {:.2}", region.what);
        }
    }
    assert!(missed.len() <= 2, "not flagged: {missed:?}");
    // So few regions cannot prove nine of ten; that is what the table of the bench is for.
    assert!(right * 10 >= all * 9, "{right} of {all}");
}
