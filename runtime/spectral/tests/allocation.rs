//! The promise not to allocate while iterating, kept by counting.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use andon_spectral::{
    CosineAffinity, Covariance, Dense, Mean, Options, SubspaceSolver, SymmetricOperator,
};
use common::{dense, generator, random_rows, with_spectrum};

thread_local! {
    /// Allocations of this thread; the test harness has others of its own.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system allocator as it came.
#[allow(
    unsafe_code,
    reason = "a counting global allocator cannot be written without"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc`, thus from the system allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_in(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

fn options(steps: usize) -> Options {
    Options {
        // Out of reach, so that exactly `steps` are made.
        tolerance: 1e-30,
        max_iterations: steps,
        max_degree: 3,
        ..Options::default()
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations_in(|| drop(std::hint::black_box(vec![1]))), 1);
}

/// Allocations of a first solve with few steps, with many, and of a second solve.
fn solve(operator: &dyn SymmetricOperator) -> [usize; 3] {
    let wanted = 5;
    let mut few = SubspaceSolver::new(operator.dim(), wanted, options(2)).unwrap();
    let mut many = SubspaceSolver::new(operator.dim(), wanted, options(40)).unwrap();
    let guess = few.solve(operator).unwrap().to_owned().1;
    let mut few = SubspaceSolver::new(operator.dim(), wanted, options(2)).unwrap();
    let count = |solver: &mut SubspaceSolver, steps| {
        allocations_in(|| {
            let pairs = solver.solve(operator).unwrap();
            assert_eq!(pairs.iterations(), steps);
        })
    };
    let (few, first) = (count(&mut few, 2), count(&mut many, 40));
    let again = allocations_in(|| {
        many.solve_from(operator, &guess).unwrap();
        many.solve(operator).unwrap();
    });
    [few, first, again]
}

#[test]
fn steps_allocate_nothing_and_the_scratch_is_taken_once_per_solver() {
    let mut rng = generator(1);
    let decaying: Vec<f64> = (0..80).map(|i| 0.95f64.powi(i)).collect();
    let repeated: Vec<f64> = (0..80).map(|i| if i < 20 { 1.0 } else { 0.0 }).collect();
    let matrices = [
        dense(&with_spectrum(&decaying, &mut rng)),
        // These send the orthonormalisation its slow way, too.
        dense(&with_spectrum(&repeated, &mut rng)),
        Dense::new(nalgebra::DMatrix::zeros(80, 80)).unwrap(),
    ];
    assert_eq!(solve(&matrices[0]), [1, 1, 0]);

    let (query, key) = (random_rows(80, 6, &mut rng), random_rows(80, 6, &mut rng));
    let within = CosineAffinity::within(&query, 6).unwrap();
    let between = CosineAffinity::between(&query, &key, 6).unwrap();
    assert_eq!(solve(&between), [1, 1, 0]);
    let mean = Mean::equal(&[&matrices[0], &within, &between]).unwrap();
    assert_eq!(solve(&mean), [1, 1, 0]);

    let mut solver = SubspaceSolver::new(80, 5, options(10)).unwrap();
    solver.solve(&matrices[0]).unwrap();
    for degenerate in &matrices[1..] {
        let again = allocations_in(|| {
            solver.solve(degenerate).unwrap();
        });
        assert_eq!(again, 0);
    }
}

#[test]
fn deflating_as_many_vectors_as_before_allocates_nothing() {
    let mut rng = generator(2);
    let rows = random_rows(50, 6, &mut rng);
    let graph = CosineAffinity::within(&rows, 6).unwrap();
    let known = graph.trivial_eigenvector();
    let mut solver = SubspaceSolver::new(50, 3, options(5)).unwrap();
    solver.deflate(&known).unwrap();
    solver.solve(&graph).unwrap();
    let again = allocations_in(|| {
        solver.deflate(&known).unwrap();
        solver.solve(&graph).unwrap();
    });
    assert_eq!(again, 0);
}

#[test]
fn streaming_rows_into_a_covariance_allocates_nothing() {
    let rows = random_rows(600, 20, &mut generator(3));
    let mut covariance = Covariance::new(20).unwrap();
    assert_eq!(allocations_in(|| covariance.push(&rows).unwrap()), 0);
}
