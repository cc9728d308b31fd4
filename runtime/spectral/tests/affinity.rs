//! The implicit graphs against the matrices they stand for.

mod common;

use andon_spectral::{
    CosineAffinity, Dense, DenseAffinity, DirectionSum, DualAffinity, DualEmbedding, Error, Mean,
    Options, SubspaceSolver, SymmetricOperator, attention, share_degrees,
};
use common::{check, generator, matrix_of, random_rows, reference};
use nalgebra::{DMatrix, DVector};

fn options() -> Options {
    Options {
        tolerance: 1e-9,
        ..Options::default()
    }
}

/// `[tokens, dim]` at unit length, as a matrix.
fn unit_rows(rows: &[f32], dim: usize) -> DMatrix<f64> {
    let mut v =
        DMatrix::from_row_iterator(rows.len() / dim, dim, rows.iter().map(|v| f64::from(*v)));
    for mut row in v.row_iter_mut() {
        let length = row.norm();
        row /= length;
    }
    v
}

/// W by its definition.
fn affinity(left: &[f32], right: &[f32], dim: usize) -> DMatrix<f64> {
    let cosines = unit_rows(left, dim) * unit_rows(right, dim).transpose();
    (DMatrix::repeat(cosines.nrows(), cosines.ncols(), 1.0)
        + 0.5 * (&cosines + cosines.transpose()))
        / 2.0
}

/// D^-1/2 W D^-1/2 by its definition, and the degrees.
fn normalised(w: &DMatrix<f64>, degrees: &DVector<f64>) -> DMatrix<f64> {
    DMatrix::from_fn(w.nrows(), w.ncols(), |i, j| {
        w[(i, j)] / (degrees[i] * degrees[j]).sqrt()
    })
}

fn degrees(w: &DMatrix<f64>) -> DVector<f64> {
    w.row_sum().transpose()
}

fn assert_is(operator: &dyn SymmetricOperator, expected: &DMatrix<f64>) {
    let error = (matrix_of(operator) - expected).amax();
    assert!(error < 1e-13, "{error:e}");
}

/// Known eigenvector with eigenvalue 1, at unit length.
fn assert_trivial(s: &DMatrix<f64>, vector: &DMatrix<f64>) {
    assert!((vector.norm() - 1.0).abs() < 1e-13);
    assert!((s * vector - vector).amax() < 1e-12);
}

#[test]
fn the_implicit_graph_of_one_tap_is_the_dense_one() {
    let mut rng = generator(1);
    for (tokens, dim) in [(1, 1), (1, 4), (2, 3), (30, 5), (20, 40), (300, 12)] {
        let rows = random_rows(tokens, dim, &mut rng);
        let graph = CosineAffinity::within(&rows, dim).unwrap();
        let w = affinity(&rows, &rows, dim);
        assert!((graph.degrees() - degrees(&w)).amax() < 1e-12 * tokens as f64);
        let s = normalised(&w, &degrees(&w));
        assert_is(&graph, &s);
        assert_trivial(&s, &graph.trivial_eigenvector());
    }
}

#[test]
fn the_implicit_graph_between_two_taps_is_the_dense_one() {
    let mut rng = generator(2);
    for (tokens, dim) in [(1, 4), (2, 3), (30, 5), (20, 40)] {
        let (query, key) = (
            random_rows(tokens, dim, &mut rng),
            random_rows(tokens, dim, &mut rng),
        );
        let graph = CosineAffinity::between(&query, &key, dim).unwrap();
        let w = affinity(&query, &key, dim);
        let s = normalised(&w, &degrees(&w));
        assert_is(&graph, &s);
        assert_trivial(&s, &graph.trivial_eigenvector());
        // The floor holds.
        assert!(reference(&s).0[tokens - 1] >= graph.floor());
    }
}

#[test]
fn the_mean_over_blocks_is_the_mean_of_the_matrices() {
    let mut rng = generator(3);
    let taps: Vec<Vec<f32>> = (0..4).map(|_| random_rows(25, 6, &mut rng)).collect();
    let graphs: Vec<_> = taps
        .iter()
        .map(|tap| CosineAffinity::within(tap, 6).unwrap())
        .collect();
    let parts: Vec<&dyn SymmetricOperator> = graphs.iter().map(|graph| graph as _).collect();
    let mut expected = DMatrix::zeros(25, 25);
    for tap in &taps {
        let w = affinity(tap, tap, 6);
        expected += normalised(&w, &degrees(&w)) / 4.0;
    }
    assert_is(&Mean::equal(&parts).unwrap(), &expected);

    let weighted = Mean::new(vec![(parts[0], 3.0), (parts[1], 1.0)]).unwrap();
    let (first, second) = (matrix_of(parts[0]), matrix_of(parts[1]));
    assert_is(&weighted, &(0.75 * first + 0.25 * second));
}

#[test]
fn with_shared_degrees_the_mean_has_the_known_eigenvector_and_without_it_has_not() {
    let mut rng = generator(4);
    let taps: Vec<Vec<f32>> = (0..3)
        .map(|_| {
            random_rows(25, 6, &mut rng)
                .iter()
                .map(|v| v + 0.3)
                .collect()
        })
        .collect();
    let mut graphs: Vec<_> = taps
        .iter()
        .map(|tap| CosineAffinity::within(tap, 6).unwrap())
        .collect();
    let mean = |graphs: &[CosineAffinity<'_>]| {
        let parts: Vec<&dyn SymmetricOperator> = graphs.iter().map(|graph| graph as _).collect();
        matrix_of(&Mean::equal(&parts).unwrap())
    };
    let known = graphs[0].trivial_eigenvector();
    assert!((mean(&graphs) * &known - &known).amax() > 1e-4);

    share_degrees(&mut graphs).unwrap();
    let s = mean(&graphs);
    let w = taps
        .iter()
        .map(|tap| affinity(tap, tap, 6))
        .sum::<DMatrix<f64>>()
        / 3.0;
    assert!((&s - normalised(&w, &degrees(&w))).amax() < 1e-13);
    for graph in &graphs {
        assert_trivial(&s, &graph.trivial_eigenvector());
    }
}

#[test]
fn the_leading_eigenvectors_of_a_graph_are_those_of_its_matrix_without_the_known_one() {
    let mut rng = generator(5);
    let rows = random_rows(60, 8, &mut rng);
    let graph = CosineAffinity::within(&rows, 8).unwrap();
    let known = graph.trivial_eigenvector();
    let mut solver = SubspaceSolver::new(60, 5, options()).unwrap();
    solver.deflate(&known).unwrap();
    let pairs = solver.solve(&graph).unwrap();
    let w = affinity(&rows, &rows, 8);
    let rest = normalised(&w, &degrees(&w)) - &known * known.transpose();
    check("graph", &(0.5 * (&rest + rest.transpose())), &pairs, 1e-9);
}

#[test]
fn one_token_is_a_graph_with_nothing_but_the_known_eigenvector() {
    let graph = CosineAffinity::within(&[0.5, -2.0], 2).unwrap();
    let mut solver = SubspaceSolver::new(1, 3, options()).unwrap();
    assert!((solver.solve(&graph).unwrap().values()[0] - 1.0).abs() < 1e-12);
    solver.deflate(&graph.trivial_eigenvector()).unwrap();
    assert!(solver.solve(&graph).unwrap().is_empty());
}

#[test]
fn identical_tokens_have_no_second_eigenvector_to_speak_of() {
    let rows = [1.0, 2.0, 3.0].repeat(20);
    let graph = CosineAffinity::within(&rows, 3).unwrap();
    let mut solver = SubspaceSolver::new(20, 2, options()).unwrap();
    solver.deflate(&graph.trivial_eigenvector()).unwrap();
    let pairs = solver.solve(&graph).unwrap();
    assert!(
        pairs.values().iter().all(|v| v.abs() < 1e-12),
        "{:?}",
        pairs.values()
    );
}

#[test]
fn the_dual_has_the_eigenpairs_of_the_graph() {
    let mut rng = generator(6);
    let (tokens, dim) = (600, 9);
    let rows = random_rows(tokens, dim, &mut rng);
    let dual = DualAffinity::of(&rows, dim).unwrap();
    let operator = dual.operator().unwrap();
    let known = dual.trivial_eigenvector();
    assert_trivial(operator.matrix(), &known);

    let mut solver = SubspaceSolver::new(dim + 1, 4, options()).unwrap();
    solver.deflate(&known).unwrap();
    let pairs = solver.solve(&operator).unwrap();
    let embedding = dual.embed(&rows, pairs.vectors(), pairs.values()).unwrap();

    let graph = CosineAffinity::within(&rows, dim).unwrap();
    let s = matrix_of(&graph);
    for j in 0..4 {
        let u = embedding.column(j);
        assert!((u.norm() - 1.0).abs() < 1e-10);
        assert!((&s * u - u * pairs.values()[j]).amax() < 1e-9);
    }
    assert!(embedding.tr_mul(&graph.trivial_eigenvector()).amax() < 1e-10);
}

#[test]
fn shards_of_the_dual_add_up_to_the_whole_even_through_storage() {
    let mut rng = generator(7);
    let dim = 5;
    let rows = random_rows(700, dim, &mut rng);
    let whole = DualAffinity::of(&rows, dim).unwrap();

    let shards: Vec<&[f32]> = rows.chunks(300 * dim).collect();
    let mut directions = DirectionSum::new(dim).unwrap();
    for shard in &shards {
        let mut part = DirectionSum::new(dim).unwrap();
        part.push(shard).unwrap();
        let stored = DirectionSum::from_parts(part.tokens(), part.sum().clone()).unwrap();
        directions.merge(&stored).unwrap();
    }
    assert_eq!(directions.tokens(), 700);
    let mut merged = DualAffinity::new(directions.clone()).unwrap();
    for shard in &shards {
        let mut part = DualAffinity::new(directions.clone()).unwrap();
        part.push(shard).unwrap();
        let stored =
            DualAffinity::from_parts(directions.clone(), part.tokens(), part.gram().clone())
                .unwrap();
        merged.merge(&stored).unwrap();
    }
    let difference = merged.operator().unwrap().matrix() - whole.operator().unwrap().matrix();
    assert!(difference.amax() < 1e-14, "{:e}", difference.amax());
}

#[test]
fn an_embedding_without_the_matrix_places_tokens_as_the_dual_does() {
    let (rows, dim) = (random_rows(40, 5, &mut generator(12)), 5);
    let dual = DualAffinity::of(&rows, dim).unwrap();
    let mut solver = SubspaceSolver::new(dim + 1, 2, options()).unwrap();
    solver.deflate(&dual.trivial_eigenvector()).unwrap();
    let pairs = solver.solve(&dual.operator().unwrap()).unwrap();
    let mut directions = DirectionSum::new(dim).unwrap();
    directions.push(&rows).unwrap();

    let (values, vectors) = (pairs.values().to_vec(), pairs.vectors().clone_owned());
    let embedding = DualEmbedding::new(directions, values, vectors).unwrap();
    let by_dual = dual.embed(&rows, pairs.vectors(), pairs.values()).unwrap();
    assert_eq!(embedding.embed(&rows).unwrap(), by_dual);

    let expected = degrees(&affinity(&rows, &rows, dim));
    let found = DVector::from_vec(embedding.degrees(&rows).unwrap());
    assert!((&found - &expected).amax() < 1e-9);
    assert!((embedding.directions().volume() - expected.sum()).abs() < 1e-6);
}

#[test]
fn a_dual_that_missed_tokens_or_mixes_first_passes_is_refused() {
    let mut rng = generator(8);
    let rows = random_rows(10, 3, &mut rng);
    let mut directions = DirectionSum::new(3).unwrap();
    assert!(matches!(
        DualAffinity::new(directions.clone()),
        Err(Error::Empty { .. })
    ));
    directions.push(&rows).unwrap();
    let mut dual = DualAffinity::new(directions).unwrap();
    dual.push(&rows[..9]).unwrap();
    assert!(matches!(
        dual.operator(),
        Err(Error::DimensionMismatch {
            expected: 10,
            found: 3,
            ..
        })
    ));
    let other = DualAffinity::of(&rows[..9], 3).unwrap();
    assert_eq!(dual.merge(&other), Err(Error::OtherDirections));
}

#[test]
fn a_dual_eigenvector_with_eigenvalue_zero_has_no_counterpart() {
    let rows = [1.0, 2.0].repeat(4);
    let dual = DualAffinity::of(&rows, 2).unwrap();
    let vectors = DMatrix::identity(3, 1);
    assert!(matches!(
        dual.embed(&rows, vectors.as_view(), &[0.0]),
        Err(Error::BadOption {
            option: "eigenvalue",
            ..
        })
    ));
}

#[test]
fn attention_is_the_mean_of_the_heads_softmax() {
    let mut rng = generator(9);
    let (tokens, dim, heads) = (13, 6, 3);
    let query: Vec<f32> = random_rows(tokens, dim, &mut rng)
        .iter()
        .map(|v| 4.0 * v)
        .collect();
    let key = random_rows(tokens, dim, &mut rng);
    let found = attention(&query, &key, dim, heads).unwrap();
    let mut expected = DMatrix::<f64>::zeros(tokens, tokens);
    for head in 0..heads {
        for i in 0..tokens {
            let score = |j: usize| -> f64 {
                (0..2)
                    .map(|d| {
                        f64::from(query[i * dim + 2 * head + d])
                            * f64::from(key[j * dim + 2 * head + d])
                    })
                    .sum::<f64>()
                    / 2f64.sqrt()
            };
            let sum: f64 = (0..tokens).map(|j| score(j).exp()).sum();
            for j in 0..tokens {
                expected[(i, j)] += score(j).exp() / sum / heads as f64;
            }
        }
    }
    assert!((&found - expected).amax() < 1e-13);
    assert!(
        found
            .column_sum()
            .iter()
            .all(|sum| (sum - 1.0).abs() < 1e-13)
    );
}

#[test]
fn attention_scores_too_large_for_exp_are_no_trouble() {
    let found = attention(&[1e4, -1e4], &[1e4, -1e4], 1, 1).unwrap();
    assert_eq!(found, DMatrix::identity(2, 2));
}

#[test]
fn a_dense_affinity_is_symmetrised_and_normalised() {
    let mut rng = generator(10);
    let (query, key) = (random_rows(40, 8, &mut rng), random_rows(40, 8, &mut rng));
    let matrix = attention(&query, &key, 8, 2).unwrap();
    let graph = DenseAffinity::new(matrix.clone()).unwrap();
    let w = 0.5 * (&matrix + matrix.transpose());
    let s = normalised(&w, &degrees(&w));
    assert_is(&graph, &s);
    assert_trivial(&s, &graph.trivial_eigenvector());
    let mut solver = SubspaceSolver::new(40, 3, options()).unwrap();
    check("attention", &s, &solver.solve(&graph).unwrap(), 1e-9);
}

#[test]
fn tokens_without_a_direction_or_an_affinity_are_named() {
    let zero = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let expected = |what| Error::ZeroRow { what, token: 1 };
    let error = CosineAffinity::within(&zero, 2).unwrap_err();
    assert_eq!(error, expected("rows of a cosine affinity"));
    assert!(
        error
            .to_string()
            .starts_with("token 1 of rows of a cosine affinity is a zero row")
    );
    let good = [1.0; 6];
    assert_eq!(
        CosineAffinity::between(&good, &zero, 2).unwrap_err(),
        expected("key rows of a cosine affinity")
    );
    assert_eq!(
        DualAffinity::of(&zero, 2).unwrap_err(),
        expected("rows of a dual affinity")
    );

    let opposite = CosineAffinity::between(&[1.0, 0.0], &[-1.0, 0.0], 2).unwrap_err();
    assert_eq!(opposite, Error::IsolatedToken { token: 0 });
    let mut island = DMatrix::identity(3, 3);
    island[(2, 2)] = 0.0;
    assert_eq!(
        DenseAffinity::new(island.clone()).unwrap_err(),
        Error::IsolatedToken { token: 2 }
    );
    island[(2, 2)] = -0.5;
    assert!(matches!(
        DenseAffinity::new(island),
        Err(Error::NegativeAffinity {
            row: 2,
            column: 2,
            ..
        })
    ));
}

#[test]
fn nan_and_shapes_that_do_not_fit_are_refused() {
    let nan = [1.0, 2.0, f32::NAN, 4.0];
    assert!(matches!(
        CosineAffinity::within(&nan, 2),
        Err(Error::NotFinite {
            row: 1,
            column: 0,
            ..
        })
    ));
    assert!(matches!(
        DualAffinity::of(&nan, 2),
        Err(Error::NotFinite { row: 1, .. })
    ));
    assert!(matches!(
        attention(&nan, &nan, 2, 1),
        Err(Error::NotFinite { row: 1, .. })
    ));
    assert!(matches!(
        CosineAffinity::within(&[1.0; 5], 2),
        Err(Error::DimensionMismatch { .. })
    ));
    assert!(matches!(
        CosineAffinity::within(&[], 2),
        Err(Error::Empty { .. })
    ));
    assert!(matches!(
        CosineAffinity::between(&[1.0; 4], &[1.0; 2], 2),
        Err(Error::DimensionMismatch { .. })
    ));
    assert!(matches!(
        attention(&[1.0; 9], &[1.0; 9], 3, 2),
        Err(Error::DimensionMismatch { .. })
    ));
    let mut graphs = [
        CosineAffinity::within(&[1.0; 4], 2).unwrap(),
        CosineAffinity::within(&[1.0; 6], 2).unwrap(),
    ];
    assert!(matches!(
        share_degrees(&mut graphs),
        Err(Error::DimensionMismatch {
            expected: 2,
            found: 3,
            ..
        })
    ));
}

#[test]
fn means_that_make_no_sense_are_refused() {
    let two = Dense::new(DMatrix::identity(2, 2)).unwrap();
    let three = Dense::new(DMatrix::identity(3, 3)).unwrap();
    assert!(matches!(Mean::equal(&[]), Err(Error::Empty { .. })));
    assert!(matches!(
        Mean::equal(&[&two, &three]),
        Err(Error::DimensionMismatch { .. })
    ));
    for weight in [-1.0, f64::NAN, f64::INFINITY, 0.0] {
        assert!(matches!(
            Mean::new(vec![(&two, weight)]),
            Err(Error::BadOption { .. })
        ));
    }
}
