//! What a user gets from a pool of threads.

mod common;

use andon_kernels::{
    Epilogue, Error, HEAD_WIDTH, Isa, PackedHead, PackedWeights, Pool, Scratch, allowed_cores,
    attend, layer_norm, linear,
};
use common::{Numbers, assert_same_bits};

const THREADS: [usize; 4] = [1, 2, 3, 8];

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let numbers = &mut Numbers(21);
    let pools = THREADS.map(|threads| Pool::new(threads).unwrap());
    let (k, n) = (2 * HEAD_WIDTH, 150);
    let (bytes, bias) = (numbers.bytes(k * n), numbers.units(n));
    let (scale, offset) = (numbers.units(k), numbers.units(k));
    for isa in Isa::available() {
        let weights = PackedWeights::pack(isa, &bytes, k, n, &vec![1e-3; n], &bias).unwrap();
        for tokens in [1, 2, 6, 35, 257] {
            let [x, keys, values] = [0; 3].map(|_| numbers.normals(tokens * k));
            let residual = numbers.normals(tokens * n);
            let scratch = &mut Scratch::new();
            let mut heads = vec![PackedHead::new(isa).unwrap(); 2];
            for (number, head) in heads.iter_mut().enumerate() {
                head.pack(number, &keys, &values, k, 0.125).unwrap();
            }
            let mut mixed = vec![0.0; tokens * k];
            attend(&heads, &x, &mut mixed, scratch).unwrap();
            let mut norm = vec![0.0; tokens * k];
            layer_norm(isa, &x, &scale, &offset, 1e-6, &mut norm).unwrap();
            for pool in &pools {
                let what = format!("{isa:?}, {tokens} tokens, {pool:?}");
                for epilogue in [Epilogue::None, Epilogue::Gelu, Epilogue::Add(&residual)] {
                    let (mut expected, mut found) = (residual.clone(), residual.clone());
                    linear(&weights, &x, epilogue, &mut expected, scratch).unwrap();
                    pool.linear(&weights, &x, epilogue, &mut found).unwrap();
                    assert_same_bits(&found, &expected, &what);
                }
                let mut found = vec![f32::NAN; tokens * k];
                pool.attention(&mut heads, &x, &keys, &values, 0.125, &mut found)
                    .unwrap();
                assert_same_bits(&found, &mixed, &what);
                pool.layer_norm(isa, &x, &scale, &offset, 1e-6, &mut found)
                    .unwrap();
                assert_same_bits(&found, &norm, &what);
            }
        }
    }
}

#[test]
fn a_pool_serves_many_callers_and_many_jobs_in_turn() {
    let numbers = &mut Numbers(22);
    let pool = Pool::new(4).unwrap();
    let (m, k, n) = (128, 64, 65);
    let (bytes, x) = (numbers.bytes(k * n), numbers.normals(m * k));
    let weights =
        PackedWeights::pack(Isa::detect(), &bytes, k, n, &vec![1.0; n], &vec![0.0; n]).unwrap();
    let mut expected = vec![0.0; m * n];
    let scratch = &mut Scratch::new();
    linear(&weights, &x, Epilogue::None, &mut expected, scratch).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for job in 0..200 {
                    // Some come while the workers still look, some after they have gone to sleep.
                    if job % 50 == 0 {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                    let mut found = vec![f32::NAN; m * n];
                    pool.linear(&weights, &x, Epilogue::None, &mut found)
                        .unwrap();
                    assert_same_bits(&found, &expected, "shared pool");
                }
            });
        }
    });
}

#[test]
fn every_piece_is_given_out_once_with_its_number() {
    for threads in [1, 3] {
        let pool = Pool::new(threads).unwrap();
        for (len, piece) in [(0, 4), (1, 4), (8, 4), (1000, 7)] {
            let mut values = vec![0; len];
            pool.chunks(&mut values, piece, &|number, values| {
                assert!(values.len() == piece || (number + 1) * piece > len);
                values.iter_mut().for_each(|value| *value += number + 1);
            });
            let expected: Vec<usize> = (0..len).map(|i| i / piece + 1).collect();
            assert_eq!(values, expected, "{threads} threads, pieces of {piece}");
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let pool = Pool::new(2).unwrap();
    let isa = Isa::detect();
    let weights = PackedWeights::pack(isa, &[1; 6], 2, 3, &[1.0; 3], &[0.0; 3]).unwrap();
    assert!(matches!(
        pool.linear(&weights, &[0.0; 4], Epilogue::None, &mut [0.0; 5]),
        Err(Error::Length { expected: 6, .. })
    ));
    assert!(matches!(
        pool.layer_norm(isa, &[0.0; 4], &[1.0; 2], &[0.0; 2], 1e-6, &mut [0.0; 3]),
        Err(Error::Length { expected: 4, .. })
    ));
    let heads = &mut [PackedHead::new(isa).unwrap()];
    let [mut short, long] = [vec![0.0; HEAD_WIDTH], vec![0.0; 2 * HEAD_WIDTH]];
    assert!(matches!(
        pool.attention(heads, &long, &long, &short.clone(), 1.0, &mut short),
        Err(Error::Length { .. })
    ));
    assert!(matches!(
        pool.attention(heads, &long, &long, &long, 1.0, &mut short),
        Err(Error::Length { .. })
    ));
    assert!(matches!(
        pool.attention(&mut [], &[], &[], &[], 1.0, &mut []),
        Err(Error::Dimension { found: 0, .. })
    ));
}

#[test]
fn a_pool_needs_a_thread() {
    for threads in [0, 1025] {
        assert!(
            matches!(Pool::new(threads), Err(Error::Dimension { found, .. }) if found == threads)
        );
    }
    assert!(matches!(
        Pool::bound(&[]),
        Err(Error::Dimension { found: 0, .. })
    ));
}

#[test]
fn a_core_that_does_not_exist_is_refused_and_those_that_do_are_named() {
    let allowed = allowed_cores();
    for core in [1023, usize::MAX] {
        let error = Pool::bound(&[core]).unwrap_err();
        if cfg!(target_os = "linux") {
            let text = error.to_string();
            let last = allowed.last().unwrap().to_string();
            assert!(
                text.contains(&core.to_string()) && text.ends_with(&last),
                "{text}"
            );
            assert_eq!(
                error,
                Error::Core {
                    core,
                    allowed: allowed.clone()
                }
            );
        } else {
            assert_eq!(error, Error::Unbindable);
        }
    }
}

#[test]
fn two_threads_never_share_a_core() {
    let error = Pool::bound(&[0, 1, 0]).unwrap_err();
    assert_eq!(error, Error::CoreTwice { core: 0 });
}

/// `Cpus_allowed_list` of threads of this program, by their names.
#[cfg(target_os = "linux")]
fn bound_to() -> Vec<(String, String)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |task: std::path::PathBuf| {
        let name = std::fs::read_to_string(task.join("comm")).ok()?;
        let status = std::fs::read_to_string(task.join("status")).ok()?;
        let cores = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Some((name.trim().into(), cores.trim().into()))
    };
    tasks.filter_map(|task| of(task.ok()?.path())).collect()
}

/// The core that a test runs on can be bound to, at least.
#[cfg(target_os = "linux")]
#[test]
fn each_worker_runs_on_the_core_that_was_named_for_it() {
    let cores = allowed_cores();
    let pool = Pool::bound(&cores).unwrap();
    assert_eq!((pool.threads(), pool.cores()), (cores.len(), &cores[..]));
    if cores.len() < 2 {
        eprintln!("SKIPPED: this computer has one core, so a bound pool has no worker");
    }
    let found = bound_to();
    for (index, core) in cores.iter().enumerate().skip(1) {
        // Threads of pools of other tests are not bound.
        let worker = (format!("andon-kernel-{index}"), core.to_string());
        assert!(found.contains(&worker), "{worker:?} of {found:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_caller_is_bound_as_long_as_it_asks_for_and_free_again() {
    let before = allowed_cores();
    let last = *before.last().unwrap();
    let pool = Pool::bound(&[last]).unwrap();
    {
        let _bound = pool.bind_caller().unwrap();
        assert_eq!(allowed_cores(), [last]);
        let inherited = std::thread::spawn(allowed_cores).join().unwrap();
        assert_eq!(inherited, [last]);
    }
    assert_eq!(allowed_cores(), before);
    let all = Pool::bound(&before).unwrap();
    {
        let _confined = all.confine_caller().unwrap();
        assert_eq!(allowed_cores(), before);
        let _bound = all.bind_caller().unwrap();
        assert_eq!(allowed_cores(), [before[0]]);
    }
    let free = Pool::new(2).unwrap();
    let _bound = free.bind_caller().unwrap();
    assert_eq!((allowed_cores(), free.cores()), (before, &[][..]));
    std::thread::spawn(move || {
        pool.bind_caller().unwrap().keep();
        assert_eq!(allowed_cores(), [last]);
    })
    .join()
    .unwrap();
}
