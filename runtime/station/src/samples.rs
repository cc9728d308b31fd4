//! Learns from a stream of changes where the line between an empty and a full place lies.

use std::time::Duration;

/// Changes seen while learning: at most [`Samples::MOST`], evenly spread over the whole time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    since: Option<Duration>,
    values: Vec<f32>,
    seen: u64,
    /// Every 2^`sparse`-th sample is kept.
    sparse: u32,
}

impl Samples {
    const MOST: usize = 512;
    const LEAST: usize = 16;
    /// Share of the variance that two groups must explain. One bell curve cut in half explains
    /// 2/pi = 0.64, an even spread 0.75: neither shows parts that come and go.
    const EXPLAINED: f64 = 0.8;
    /// Least distance of the groups in grey levels: less is noise whatever its shape.
    const DISTANCE: f64 = 1.0;

    /// Gives the time of the first sample.
    pub(crate) fn add(&mut self, captured: Duration, change: f32) -> Duration {
        if self.seen.is_multiple_of(1 << self.sparse) {
            self.values.push(change);
        }
        self.seen += 1;
        if self.values.len() >= Self::MOST {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.sparse = (self.sparse + 1).min(32);
        }
        *self.since.get_or_insert(captured)
    }

    /// Thresholds a third and two thirds of the way from the empty to the full group, which are
    /// split where their variance between is largest (Otsu, IEEE Trans. SMC 9, 1979). `None` while
    /// there are no two groups.
    pub(crate) fn thresholds(&self) -> Option<(f32, f32)> {
        if self.values.len() < Self::LEAST {
            return None;
        }
        let mut sorted: Vec<f64> = self.values.iter().map(|&v| f64::from(v)).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let total: f64 = sorted.iter().sum();
        let mean = total / n;
        let variance = sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let (mut best, mut below) = ((0.0, 0.0, 0.0), 0.0);
        for (count, value) in (1..sorted.len()).zip(&sorted) {
            below += value;
            let low = below / count as f64;
            let high = (total - below) / (n - count as f64);
            let share = count as f64 / n;
            let between = share * (1.0 - share) * (high - low).powi(2);
            if between > best.0 {
                best = (between, low, high);
            }
        }
        let (between, low, high) = best;
        let distance = high - low;
        (distance >= Self::DISTANCE && between >= Self::EXPLAINED * variance).then(|| {
            (
                (low + distance * 2.0 / 3.0) as f32,
                (low + distance / 3.0) as f32,
            )
        })
    }
}
