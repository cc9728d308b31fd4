//! The lamp table, in one place. Red = fault or NG, amber = attention, green = normal, blue =
//! operator must act; flashing = not yet acknowledged (IEC 60073). All dark never comes out.

use andon_link::{Lamps, Signal};

/// What the lamps depend on.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Situation {
    /// Stopped: as the MCU shows a lost host, as nearly as steady lamps can.
    pub(crate) stopped: bool,
    /// An NG alarm, an error or a fault that nobody acknowledged, or a failed challenge.
    pub(crate) red_new: bool,
    /// The last part is NG, or no part can be judged.
    pub(crate) red_known: bool,
    /// Something new degrades judging, or parts were skipped.
    pub(crate) amber_new: bool,
    /// Something known degrades judging.
    pub(crate) amber_known: bool,
    /// Parts are judged and the last one was OK.
    pub(crate) good: bool,
    /// The operator must acknowledge or show a challenge part.
    pub(crate) call_new: bool,
    /// The operator must act on something acknowledged.
    pub(crate) call_known: bool,
}

const fn signal(new: bool, known: bool) -> Signal {
    if new {
        Signal::Flashing
    } else if known {
        Signal::Steady
    } else {
        Signal::Dark
    }
}

pub(crate) fn lamps(now: Situation) -> Lamps {
    if now.stopped {
        return Lamps::new(
            Signal::Flashing,
            Signal::Flashing,
            Signal::Dark,
            Signal::Dark,
        )
        .unwrap_or(Lamps::RED_FLASHING);
    }
    let red = signal(now.red_new, now.red_known);
    let blue = signal(now.call_new, now.call_known);
    // Green beside red would leave the meaning to the beholder.
    let green = signal(false, now.good && red == Signal::Dark);
    // No part yet, or none that counts: attention, as nothing says that all is well.
    let idle = [red, green, blue].iter().all(|lamp| *lamp == Signal::Dark);
    let amber = signal(now.amber_new, now.amber_known || idle);
    Lamps::new(red, amber, green, blue).unwrap_or(Lamps::RED_FLASHING)
}
