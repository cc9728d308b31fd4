//! A line that does not wait: parts come at a fixed pace while the pins are watched, and whatever a
//! lamp, a line or the rejector does wrong is an error. All times are by the board's own clock, so
//! that a busy machine makes looks rarer and never makes them wrong.

use andon_link::Outputs;
use andon_rig::{Board, Line};
use anyhow::{Result, ensure};

use crate::bench::{Belt, Parts};

/// Between two parts.
const PACE_MS: u64 = 1500;
/// From the edge of the trigger until what the lines show is about that part.
const NOTICED_MS: u64 = 30;
/// A lamp that flashes is off so long, and a look may come so late.
const DARK_MS: u64 = 250 + 50;
/// Looks further apart than this tell nothing about what was between them.
const BLIND_MS: u64 = 100;

/// One part on the belt.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The trigger's edge is between these two.
    edge: (u64, u64),
    /// Its right verdict was on the lines.
    is_right: bool,
    struck: bool,
}

/// The parts so far, and what was seen.
#[derive(Debug)]
pub struct Watch {
    kind: Parts,
    belt: Belt,
    parts: Vec<Part>,
    /// When the newest trigger is to fall again.
    lower_at: Option<u64>,
    /// The look before: when, and whether the rejector struck.
    before: Option<(u64, bool)>,
    /// Since when nothing that must be lit was seen lit.
    dark_since: Option<u64>,
    raised: [usize; 2],
    pub looks: u32,
    pub lost: u32,
}

impl Watch {
    /// A belt that is empty.
    pub const fn new(kind: Parts, belt: Belt) -> Self {
        Self {
            kind,
            belt,
            parts: Vec::new(),
            lower_at: None,
            before: None,
            dark_since: None,
            raised: [0; 2],
            looks: 0,
            lost: 0,
        }
    }

    /// Parts so far.
    pub const fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Parts whose right verdict was shown.
    pub fn right(&self) -> usize {
        self.parts.iter().filter(|part| part.is_right).count()
    }

    /// Parts that were struck.
    pub fn struck(&self) -> usize {
        self.parts.iter().filter(|part| part.struck).count()
    }

    /// One look at the pins, and the next part if it is time.
    pub fn step(&mut self, board: &mut Board, feed: bool) -> Result<()> {
        let from = board.uptime_ms()?;
        let outputs = board.outputs()?;
        let to = board.uptime_ms()?;
        self.look(from, &outputs, to)?;
        for (line, on) in board.line_edges()? {
            match (line, on) {
                (Line::Ok, true) => self.raised[0] += 1,
                (Line::Reject, true) => self.raised[1] += 1,
                _ => {}
            }
        }
        ensure!(
            self.kind == Parts::Good || self.raised[0] == 0,
            "OK was energised for a bad part: {outputs:?}"
        );
        if self.lower_at.is_some_and(|at| to >= at) {
            board.set_trigger(false)?;
            self.lower_at = None;
        }
        let due = self.parts.last().is_none_or(|p| to >= p.edge.1 + PACE_MS);
        if feed && due && self.lower_at.is_none() {
            let earliest = board.uptime_ms()?;
            board.set_trigger(true)?;
            let latest = board.uptime_ms()? + 1;
            self.parts.push(Part {
                edge: (earliest, latest),
                is_right: false,
                struck: false,
            });
            self.lower_at = Some(latest + 20);
        }
        Ok(())
    }

    /// Goes on without new parts until all are past the rejector, and counts them there.
    pub fn run_out(&mut self, board: &mut Board) -> Result<()> {
        let past = u64::from(self.belt.delay + self.belt.width) + 100;
        while let Some(last) = self.parts.last()
            && board.uptime_ms()? < last.edge.1 + past
        {
            self.step(board, false)?;
        }
        let struck = self.struck();
        ensure!(
            self.raised[1] == struck,
            "{} reject pulses for {struck} parts that were due for one",
            self.raised[1]
        );
        ensure!(
            self.kind == Parts::Good || struck == self.parts(),
            "{struck} of {} bad parts were struck: {:?}",
            self.parts(),
            self.parts
        );
        Ok(())
    }

    fn look(&mut self, from: u64, outputs: &Outputs, to: u64) -> Result<()> {
        let o = outputs;
        self.looks += 1;
        // Each of these pairs is read from one port at one moment.
        ensure!(!(o.ok && (o.ng || o.error)), "OK and not OK: {o:?}");
        ensure!(!(o.red && o.green), "red and green: {o:?}");
        ensure!(
            self.kind == Parts::Good || !o.green,
            "green while all parts are bad: {o:?}"
        );
        self.lost += u32::from(o.error && !o.results_ready && (o.red ^ o.amber) && !o.green);
        self.dark(from, o, to)?;
        if let Some(part) = self.parts.last_mut()
            && from >= part.edge.1 + NOTICED_MS
        {
            part.is_right |= match self.kind {
                Parts::Good => o.ok,
                Parts::Bad => o.ng && o.results_ready && !o.error,
            };
        }
        let (since, struck_before) = self.before.unwrap_or((from, o.reject));
        if o.reject && !struck_before {
            self.strike(since, to)?;
        }
        self.before = Some((from, o.reject));
        Ok(())
    }

    /// Something is always lit, but for the pauses of flashing; where all parts are bad, it is red.
    fn dark(&mut self, from: u64, o: &Outputs, to: u64) -> Result<()> {
        let lit = match self.kind {
            Parts::Good => o.red || o.amber || o.green || o.blue,
            Parts::Bad => o.red,
        };
        let is_blind = self.before.is_none_or(|(at, _)| from > at + BLIND_MS);
        if lit || is_blind {
            self.dark_since = None;
        } else {
            let since = *self.dark_since.get_or_insert(to);
            ensure!(
                from <= since + DARK_MS,
                "dark for {} ms: {o:?}",
                from - since
            );
        }
        Ok(())
    }

    /// The rejector began to strike between two moments.
    fn strike(&mut self, from: u64, to: u64) -> Result<()> {
        let delay = u64::from(self.belt.delay);
        let kind = self.kind;
        let part = self
            .parts
            .iter_mut()
            .find(|part| part.edge.0 + delay <= to && from <= part.edge.1 + delay + 2);
        let Some(part) = part else {
            anyhow::bail!("a reject between {from} and {to} ms, where no part is due");
        };
        ensure!(!part.struck, "struck twice: {part:?}");
        ensure!(
            kind == Parts::Bad || !part.is_right,
            "struck although it was shown OK: {part:?}"
        );
        part.struck = true;
        Ok(())
    }
}
