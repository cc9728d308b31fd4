//! Interleaved timing of candidates that do the same work.

use crate::peak;
use andon_kernels::Isa;
use std::hint::black_box;

/// One way of doing the work.
pub struct Candidate<'a> {
    isa: Isa,
    run: Box<dyn FnMut() -> f32 + 'a>,
    seconds: Vec<f64>,
    peak_seconds: Vec<f64>,
}

impl<'a> Candidate<'a> {
    pub fn new(isa: Isa, run: impl FnMut() -> f32 + 'a) -> Candidate<'a> {
        Candidate {
            isa,
            run: Box::new(run),
            seconds: Vec::new(),
            peak_seconds: Vec::new(),
        }
    }
}

/// CPU time of this thread, in seconds.
#[cfg(unix)]
fn now() -> f64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `t` is valid for writes.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

#[cfg(not(unix))]
fn now() -> f64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn seconds(run: &mut dyn FnMut() -> f32) -> f64 {
    let start = now();
    black_box(run());
    now() - start
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Times all candidates in turn, `rounds` times, and prints one line each. `work` is in multiply-adds, or 0 where the
/// peak says nothing. The last candidate is the one that the others are compared with.
pub fn compare(title: &str, work: f64, rounds: usize, mut candidates: Vec<Candidate<'_>>) {
    for candidate in &mut candidates {
        black_box((candidate.run)());
    }
    for _ in 0..rounds {
        for candidate in &mut candidates {
            candidate.seconds.push(seconds(&mut candidate.run));
            if work > 0.0 && peak::run(candidate.isa).is_some() {
                let isa = candidate.isa;
                let peak = seconds(&mut || peak::run(isa).unwrap_or(0.0));
                candidate.peak_seconds.push(peak);
            }
        }
    }
    println!("{title}");
    let reference = candidates
        .last()
        .map(|c| (least(&c.seconds), median(&c.seconds)));
    for c in &candidates {
        let (min, mid) = (least(&c.seconds), median(&c.seconds));
        let mut line = format!("  {:<12} {:9.1} us", format!("{:?}", c.isa), min * 1e6);
        if let Some((reference_min, reference_mid)) = reference {
            line += &format!(
                "  {:6.2} x last ({:.2})",
                reference_min / min,
                reference_mid / mid
            );
        }
        if !c.peak_seconds.is_empty() {
            let peak = |f: fn(&[f64]) -> f64| peak::multiply_adds(c.isa) / f(&c.peak_seconds);
            line += &format!(
                "  {:.2} of peak ({:.2}), {:.0} of {:.0} GMAC/s",
                work / min / peak(least),
                work / mid / peak(median),
                work / min * 1e-9,
                peak(least) * 1e-9
            );
        }
        println!("{line}");
    }
}
