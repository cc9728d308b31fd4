//! The passes on features that are made up: three materials, and the left against the right.

use std::path::{Path, PathBuf};

use andon_kernels::Pool;
use andon_shards::{Column, Schema, ShardWriter, Tap};
use andon_spectral::{CosineAffinity, DirectionSum, Options, SubspaceSolver};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::grouping::{Grouping, GroupingOrigin, PathwayGroups};
use super::*;
use crate::inspect::Pathway;
use crate::vit::Grid;

const GRID: Grid = Grid { rows: 4, cols: 6 };
const DIM: usize = 8;
const IMAGES: usize = 12;
const QUIET: &Tick<'static> = &|| ();

fn schema() -> Schema {
    Schema {
        model: "ab".into(),
        blocks: vec![5, 6],
        taps: vec![Tap::Query, Tap::Key, Tap::Value],
        grid: [GRID.rows, GRID.cols],
        dim: DIM,
    }
}

/// Material of a patch: a part of two patches lies elsewhere in each image, on a plate on a belt.
fn material(image: usize, patch: usize) -> usize {
    let (row, col) = (patch / GRID.cols, patch % GRID.cols);
    let part = image % 4;
    match (row, col) {
        (2, c) if c == part || c == part + 1 => 2,
        (0 | 3, _) => 0,
        _ => 1,
    }
}

fn features(image: usize, column: Column) -> Vec<f32> {
    let seed = (100 * image + 10 * column.block + column.tap as usize) as u64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = vec![0.0; GRID.patches() * DIM];
    for (patch, row) in rows.chunks_exact_mut(DIM).enumerate() {
        let direction = match column.tap {
            Tap::Value => material(image, patch),
            _ => 4 + usize::from(patch % GRID.cols >= 3),
        };
        row[direction] = 2.0;
        // What all patches have in common.
        row[7] = 0.7;
        row.iter_mut()
            .for_each(|v| *v += 0.3 * (random.random::<f32>() - 0.5));
    }
    rows
}

/// Writes the images into shards, each of the images that are named.
fn shards(folder: &Path, split: &[Vec<usize>]) -> Vec<PathBuf> {
    let columns: Vec<Column> = schema().columns().collect();
    (0..)
        .zip(split)
        .map(|(number, images)| {
            let path = folder.join(format!("{number}.parquet"));
            let mut writer = ShardWriter::create(&path, &schema()).unwrap();
            for &image in images {
                let all: Vec<_> = columns.iter().map(|&c| features(image, c)).collect();
                let of = |column| &all[columns.iter().position(|c| *c == column).unwrap()][..];
                writer.write(&format!("{image:02}.png"), of).unwrap();
            }
            writer.finish().unwrap()
        })
        .collect()
}

fn rows(pathway: Pathway) -> PathwayRows {
    PathwayRows {
        pathway,
        blocks: schema().blocks,
    }
}

fn grouped(
    split: &[Vec<usize>],
    groups: Option<usize>,
    workers: usize,
) -> [(PathwayGroups, Areas); 2] {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(folder.path(), split);
    let settings = Settings {
        groups,
        workers,
        pool: &Pool::new(workers).unwrap(),
    };
    [Pathway::What, Pathway::Where].map(|p| group(&shards, &rows(p), settings, QUIET).unwrap())
}

fn one_shard() -> Vec<Vec<usize>> {
    vec![(0..IMAGES).collect()]
}

fn row_of(image: usize, pathway: Pathway) -> Vec<f32> {
    let columns = rows(pathway).columns();
    let image = andon_shards::Image {
        name: String::new(),
        features: columns.iter().map(|&c| features(image, c)).collect(),
    };
    rows(pathway).of_image(&image, DIM)
}

#[test]
fn the_same_thing_has_the_same_group_in_every_image_wherever_it_lies() {
    let [(what, _), _] = grouped(&one_shard(), Some(3), 1);
    let first = what.labels(&row_of(0, Pathway::What)).unwrap();
    let of_material: Vec<usize> = (0..3)
        .map(|m| first[(0..24).find(|&p| material(0, p) == m).unwrap()])
        .collect();
    for image in 0..IMAGES + 5 {
        let labels = what.labels(&row_of(image, Pathway::What)).unwrap();
        let expected: Vec<usize> = (0..24).map(|p| of_material[material(image, p)]).collect();
        assert_eq!(labels, expected, "image {image}");
    }
}

#[test]
fn the_largest_gap_finds_three_materials_and_two_sides() {
    let [(what, _), (where_, _)] = grouped(&one_shard(), None, 1);
    assert_eq!((what.groups.len(), where_.groups.len()), (3, 2));
    let labels = where_.labels(&row_of(3, Pathway::Where)).unwrap();
    assert!((0..24).all(|p| (labels[p] == labels[0]) == (p % 6 < 3)));
}

#[test]
fn shards_in_any_order_and_number_give_what_one_gives() {
    let one = grouped(&one_shard(), Some(3), 1);
    let many = [vec![7, 3], vec![11], vec![0, 1, 2, 10], vec![9, 8, 6, 5, 4]];
    for workers in [1, 3] {
        let parts = grouped(&many, Some(3), workers);
        for ((whole, whole_areas), (parts, parts_areas)) in one.iter().zip(&parts) {
            let ids = |groups: &PathwayGroups| -> Vec<_> {
                groups
                    .groups
                    .iter()
                    .map(|g| (g.id.clone(), g.example.clone()))
                    .collect()
            };
            assert_eq!(ids(whole), ids(parts));
            for (a, b) in whole.space.values().iter().zip(parts.space.values()) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
            assert!((&whole.centres - &parts.centres).amax() < 1e-6);
            assert_eq!(whole_areas.0.len(), IMAGES);
            for (a, b) in whole_areas.0.iter().zip(&parts_areas.0) {
                assert_eq!(a.image, b.image);
                assert!(
                    a.shares
                        .iter()
                        .zip(&b.shares)
                        .all(|(a, b)| (a - b).abs() < 1e-12)
                );
            }
        }
    }
}

/// The graph over all patches of all images, held at once.
#[test]
fn the_space_is_that_of_the_graph_over_all_patches() {
    for pathway in [Pathway::What, Pathway::Where] {
        let [what, where_] = grouped(&one_shard(), Some(3), 1);
        let (groups, _) = if pathway == Pathway::What {
            what
        } else {
            where_
        };
        let all: Vec<f32> = (0..IMAGES)
            .flat_map(|image| row_of(image, pathway))
            .collect();
        let graph = CosineAffinity::within(&all, 2 * DIM).unwrap();
        let mut solver = SubspaceSolver::new(all.len() / (2 * DIM), 3, Options::default()).unwrap();
        solver.deflate(&graph.trivial_eigenvector()).unwrap();
        let pairs = solver.solve(&graph).unwrap();
        for (thin, whole) in groups.space.values().iter().zip(pairs.values()) {
            assert!((thin - whole).abs() < 1e-7, "{thin} {whole}");
        }
        let embedded = groups.space.embedding().embed(&all).unwrap();
        let along: DMatrix<f64> = embedded
            .columns(0, 1)
            .tr_mul(&pairs.vectors().columns(0, 1));
        assert!((along[0].abs() - 1.0).abs() < 1e-6, "{along}");
    }
}

#[test]
fn the_rows_of_blocks_side_by_side_have_the_mean_cosine_of_the_blocks() {
    let joined = row_of(0, Pathway::What);
    let row = |i: usize| &joined[i * 2 * DIM..][..2 * DIM];
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = dot(row(1), row(9)) / (dot(row(1), row(1)) * dot(row(9), row(9))).sqrt();
    let mut mean = 0.0;
    for column in rows(Pathway::What).columns() {
        let values = features(0, column);
        let value = |i: usize| &values[i * DIM..][..DIM];
        let lengths = (dot(value(1), value(1)) * dot(value(9), value(9))).sqrt();
        mean += 0.5 * dot(value(1), value(9)) / lengths;
    }
    assert!((cosine - mean).abs() < 1e-5, "{cosine} {mean}");
}

#[test]
fn groups_are_numbered_by_area_and_their_shares_add_up() {
    let [(what, areas), _] = grouped(&one_shard(), Some(3), 1);
    let shares: Vec<f64> = what.groups.iter().map(|g| g.statistics.mean).collect();
    assert!(shares.is_sorted_by(|a, b| a >= b), "{shares:?}");
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    // Belt 12, plate 10, part 2 of 24 patches, in every image.
    let expected = [12.0 / 24.0, 10.0 / 24.0, 2.0 / 24.0];
    for (group, share) in expected.iter().enumerate() {
        let statistics = areas.statistics(group);
        assert!((statistics.mean - share).abs() < 1e-9);
        assert!(statistics.spread < 1e-9 && statistics.images == 1.0);
    }
}

#[test]
fn images_that_are_all_one_colour_have_no_groups_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let mut writer = ShardWriter::create(&path, &schema()).unwrap();
    let ones = vec![1.0; 24 * DIM];
    writer.write("a.png", |_| &ones[..]).unwrap();
    let shards = [writer.finish().unwrap()];
    let settings = Settings {
        groups: Some(3),
        workers: 1,
        pool: &Pool::alone(),
    };
    let error = group(&shards, &rows(Pathway::What), settings, QUIET).unwrap_err();
    assert!(matches!(error, GroupError::Alike { .. }), "{error}");
}

#[test]
fn a_sample_is_the_same_whatever_the_order_and_never_larger_than_asked() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(folder.path(), &[vec![0, 1], vec![2, 3], vec![4]]);
    let rows = rows(Pathway::What);
    let [(what, _), _] = grouped(&one_shard(), Some(3), 1);
    let sample = |order: &[usize]| {
        let mut all = Sample::new(40);
        for &shard in order {
            let shard = andon_shards::Shard::open(&shards[shard]).unwrap();
            let mut part = Sample::new(40);
            part.add(&shard, &rows, (&what.space, 2), QUIET).unwrap();
            all.merge(part);
        }
        all
    };
    let first = sample(&[0, 1, 2]);
    assert_eq!(first.len(), 40);
    assert_eq!(first, sample(&[2, 0, 1]));
}

fn grouping() -> Grouping {
    let [(what, _), (where_, _)] = grouped(&one_shard(), Some(3), 1);
    Grouping {
        origin: GroupingOrigin {
            created: "2026-01-01T00:00:00Z".into(),
            program: "1".into(),
            model_name: "m".into(),
            model_sha256: "ab".into(),
            images: IMAGES,
            input: [84, 56],
        },
        blocks: vec![5, 6],
        pathways: [what, where_],
    }
}

#[test]
fn a_file_of_groups_comes_back_with_its_names_and_assigns_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups.safetensors");
    let mut grouping = grouping();
    let id = grouping.name(Pathway::What, "3", " screw head ").unwrap();
    assert_eq!(grouping.pathways[0].groups[2].id, id);
    grouping.write(&path).unwrap();
    let back = Grouping::read(&path).unwrap();
    assert_eq!(back, grouping);
    assert_eq!(back.pathways[0].called(2), "screw head");
    assert_eq!(back.pathways[0].called(0), "group 1");
}

#[test]
fn a_name_goes_by_id_or_number_and_an_unknown_group_lists_those_there_are() {
    let mut grouping = grouping();
    let id = grouping.pathways[1].groups[1].id.clone();
    assert_eq!(grouping.name(Pathway::What, &id, "right").unwrap(), id);
    assert_eq!(
        grouping.pathways[1].groups[1].name.as_deref(),
        Some("right")
    );
    grouping.name(Pathway::Where, "2", "").unwrap();
    assert_eq!(grouping.pathways[1].groups[1].name, None);
    let error = grouping
        .name(Pathway::What, "9", "x")
        .unwrap_err()
        .to_string();
    assert!(error.contains("group 9") && error.contains(&id), "{error}");
}

#[test]
fn a_damaged_file_of_groups_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups.safetensors");
    grouping().write(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        std::fs::write(&path, &bytes).unwrap();
        assert!(Grouping::read(&path).is_err(), "byte {at}");
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(
        Grouping::read(&path),
        Err(GroupError::Format { .. })
    ));
}

#[test]
fn a_dual_of_some_shards_is_refused_instead_of_solved() {
    let folder = tempfile::tempdir().unwrap();
    let shards = shards(folder.path(), &[vec![0], vec![1]]);
    let rows = rows(Pathway::What);
    let mut sum = DirectionSum::new(2 * DIM).unwrap();
    for path in &shards {
        let shard = andon_shards::Shard::open(path).unwrap();
        add_directions(&mut sum, &shard, &rows, QUIET).unwrap();
    }
    let mut dual = andon_spectral::DualAffinity::new(sum).unwrap();
    let shard = andon_shards::Shard::open(&shards[0]).unwrap();
    add_dual(&mut dual, &shard, &rows, QUIET).unwrap();
    assert!(Space::solve(&dual, Pathway::What).is_err());
}
