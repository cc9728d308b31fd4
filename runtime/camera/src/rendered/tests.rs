//! What a user of the rendered line can rely on.

mod frames;
mod settings;
mod truth;

use super::{DefectKind, Finish, LineConfig, RenderedLine};

/// A line with frames that are quick to draw.
fn small() -> LineConfig {
    LineConfig {
        width: 160,
        height: 120,
        ..LineConfig::default()
    }
}

fn line(config: LineConfig) -> RenderedLine {
    RenderedLine::new(config).expect("the settings are in range")
}

/// Calls `check` with lines of both finishes and with every kind of defect.
fn for_every_kind(config: &LineConfig, check: impl Fn(&RenderedLine, DefectKind)) {
    for finish in [Finish::BrushedMetal, Finish::MouldedPolymer] {
        let line = line(LineConfig {
            finish,
            ..config.clone()
        });
        for kind in DefectKind::ALL {
            check(&line, kind);
        }
    }
}
