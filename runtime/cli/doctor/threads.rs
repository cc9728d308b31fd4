//! Which threads and cores a station asks for, against what this computer has and its board's
//! profile says.

use super::Finding;
use crate::line::Judging;

/// Looks at what a station file asks for; `profile` has the cores of the board's profile, if there is
/// one of this very board.
pub(super) fn look(judging: &Judging, profile: Option<&[usize]>) -> Finding {
    let allowed = andon_kernels::allowed_cores();
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    compare(judging, profile, &allowed, all)
}

/// The same for a program that may use the cores `allowed`, if the system tells, and `all` in number.
fn compare(judging: &Judging, profile: Option<&[usize]>, allowed: &[usize], all: usize) -> Finding {
    let usable = |cores: &[usize]| cores.iter().all(|core| allowed.contains(core));
    let cores = &judging.cores[..];
    let threads = judging.threads.unwrap_or(all).max(1);
    let found = match cores {
        [] => format!("the station asks for {}, bound to no core", count(threads)),
        _ => format!(
            "the station asks for {}, on cores {cores:?}",
            count(cores.len())
        ),
    };
    if !usable(cores) {
        let advice = format!("correct judging.cores: this program may use {allowed:?}");
        return Finding::fail("threads", found, advice);
    }
    let threads = if cores.is_empty() {
        threads
    } else {
        cores.len()
    };
    // A profile may be of a computer with more cores than this one lets the program use.
    let profile = profile.filter(|profile| usable(profile));
    if threads > all {
        let advice = format!(
            "they would wait for each other: ask for {} at most",
            count(all)
        );
        return Finding::warn("threads", found, advice);
    }
    if threads == all && all > 1 {
        let (cores, why) = match (profile, allowed) {
            (Some(profile), _) => (profile, "as the profile has it"),
            (None, [_, others @ ..]) => (others, "which leaves one out"),
            (None, []) => (&[][..], "and ask for one thread less"),
        };
        let advice = format!(
            "capture and outputs share their cores: put cores = {cores:?} into [judging], {why}"
        );
        return Finding::warn("threads", found, advice);
    }
    let found = match profile {
        Some(profile) if profile == cores => format!("{found}, as the profile has it"),
        Some(profile) => format!("{found}; the profile has cores {profile:?}"),
        None => found,
    };
    Finding::ok("threads", found)
}

fn count(threads: usize) -> String {
    match threads {
        1 => "1 thread".into(),
        n => format!("{n} threads"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    const FOUR: [usize; 4] = [0, 1, 2, 3];

    fn asked(threads: Option<usize>, cores: &[usize]) -> Judging {
        Judging {
            threads,
            cores: cores.to_vec(),
            ..Judging::default()
        }
    }

    #[test]
    fn what_the_profile_has_is_fine_and_said() {
        let finding = compare(&asked(None, &[1, 2, 3]), Some(&[1, 2, 3]), &FOUR, 4);
        assert_eq!(finding.level, Level::Ok);
        let all = "the station asks for 3 threads, on cores [1, 2, 3], as the profile has it";
        assert_eq!(finding.found, all);
        let fewer = compare(&asked(Some(2), &[]), Some(&[1, 2, 3]), &FOUR, 4);
        assert_eq!(fewer.level, Level::Ok);
        assert!(
            fewer
                .found
                .contains("bound to no core; the profile has cores [1, 2, 3]")
        );
    }

    #[test]
    fn a_station_that_takes_every_core_is_told_the_line_of_the_profile() {
        for every in [asked(None, &[]), asked(Some(4), &[]), asked(None, &FOUR)] {
            let finding = compare(&every, Some(&[1, 2, 3]), &FOUR, 4);
            assert_eq!(finding.level, Level::Warn, "{finding:?}");
            let advice = finding.advice.expect("what to do");
            assert!(advice.contains("cores = [1, 2, 3]"), "{advice}");
        }
        let any = compare(&asked(None, &[]), None, &FOUR, 4);
        let advice = any.advice.expect("what to do");
        assert!(advice.contains("cores = [1, 2, 3] into [judging], which leaves one out"));
        // On one core there is no other.
        let alone = compare(&asked(None, &[]), Some(&[1]), &[0], 1);
        assert_eq!(alone.level, Level::Ok, "{alone:?}");
        let many = compare(&asked(Some(6), &[]), None, &FOUR, 4);
        assert!(
            many.advice
                .expect("what to do")
                .contains("4 threads at most")
        );
    }

    #[test]
    fn a_core_that_is_not_there_fails_and_the_others_are_named() {
        let finding = compare(&asked(None, &[3, 4]), Some(&[1, 2, 3]), &FOUR, 4);
        assert_eq!(finding.level, Level::Fail);
        let advice = finding.advice.expect("what to do");
        assert!(advice.contains("[0, 1, 2, 3]"), "{advice}");
    }
}
