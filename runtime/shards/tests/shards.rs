//! Shards as those who write and read them meet them.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use andon_shards::{
    Column, Schema, Shard, ShardError, ShardWriter, ShardsWriter, Tap, open_folder,
};

fn schema() -> Schema {
    Schema {
        model: "ab12".into(),
        blocks: vec![5, 6],
        taps: vec![Tap::Query, Tap::Key, Tap::Value],
        grid: [3, 4],
        dim: 5,
    }
}

/// Numbers that tell image, column and place apart.
fn features(image: usize, column: Column) -> Vec<f32> {
    let first = (1000 * image + 100 * column.block + 10 * column.tap as usize) as f32;
    (0..60).map(|i| first + i as f32 / 64.0).collect()
}

fn write(writer: &mut ShardWriter, image: usize) {
    let columns: Vec<Column> = schema().columns().collect();
    let all: Vec<Vec<f32>> = columns.iter().map(|&c| features(image, c)).collect();
    let of = |column| &all[columns.iter().position(|c| *c == column).unwrap()][..];
    writer.write(&format!("part {image}.png"), of).unwrap();
}

fn shard(folder: &Path, images: usize) -> PathBuf {
    let mut writer = ShardWriter::create(&folder.join("a.parquet"), &schema()).unwrap();
    (0..images).for_each(|image| write(&mut writer, image));
    writer.finish().unwrap()
}

#[test]
fn what_was_written_is_read_back_to_the_bit_by_columns_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let shard = Shard::open(&shard(folder.path(), 3)).unwrap();
    assert_eq!((shard.schema(), shard.images()), (&schema(), 3));
    let columns = [
        Column {
            block: 6,
            tap: Tap::Value,
        },
        Column {
            block: 5,
            tap: Tap::Query,
        },
    ];
    for (index, image) in shard.iter(&columns).enumerate() {
        let image = image.unwrap();
        assert_eq!(image.name, format!("part {index}.png"));
        assert_eq!(image.features, columns.map(|c| features(index, c)));
    }
}

#[test]
fn a_data_set_is_cut_into_shards_of_so_many_rows_and_found_again_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = ShardsWriter::new(folder.path(), schema(), 30).unwrap();
    let zeros = vec![1.0; 60];
    for image in 0..5 {
        writer.write(&image.to_string(), |_| &zeros[..]).unwrap();
    }
    assert_eq!(writer.finish().unwrap().len(), 3);
    let shards = open_folder(folder.path()).unwrap();
    let images: Vec<usize> = shards.iter().map(Shard::images).collect();
    assert_eq!(images, [2, 2, 1]);
    assert_eq!(shards[2].read(0, &[]).unwrap().name, "4");
}

#[test]
fn an_unfinished_shard_does_not_appear() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = ShardWriter::create(&folder.path().join("a.parquet"), &schema()).unwrap();
    write(&mut writer, 0);
    drop(writer);
    let error = open_folder(folder.path()).err().unwrap();
    assert!(matches!(error, ShardError::None { .. }), "{error}");
}

#[test]
fn features_of_another_size_are_refused_with_both_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = ShardWriter::create(&folder.path().join("a.parquet"), &schema()).unwrap();
    let error = writer.write("x", |_| &[1.0; 59]).unwrap_err().to_string();
    assert!(
        error.contains("expected 60") && error.contains("found 59"),
        "{error}"
    );
}

#[test]
fn a_column_that_is_not_there_is_named_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let shard = Shard::open(&shard(folder.path(), 1)).unwrap();
    let column = Column {
        block: 7,
        tap: Tap::Key,
    };
    let error = shard.read(0, &[column]).unwrap_err().to_string();
    assert!(
        error.contains("block7_key") && error.contains("block6_value"),
        "{error}"
    );
}

#[test]
fn shards_of_two_models_in_one_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    shard(folder.path(), 1);
    let other = Schema {
        model: "other".into(),
        ..schema()
    };
    let writer = ShardWriter::create(&folder.path().join("b.parquet"), &other).unwrap();
    writer.finish().unwrap();
    let error = open_folder(folder.path()).err().unwrap().to_string();
    assert!(
        error.contains("b.parquet") && error.contains("model"),
        "{error}"
    );
}

#[test]
fn a_file_of_something_else_is_called_foreign() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    for bytes in [&b""[..], b"PNG and so on, for a while", &[0; 4000]] {
        fs::write(&path, bytes).unwrap();
        let error = Shard::open(&path).err().unwrap();
        assert!(matches!(error, ShardError::Foreign { .. }), "{error}");
    }
}

#[test]
fn a_file_that_ends_too_early_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = shard(folder.path(), 2);
    let whole = fs::read(&path).unwrap();
    for length in [5, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Shard::open(&path).err().unwrap();
        assert!(matches!(error, ShardError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_changed_byte_is_an_error_or_changes_nothing_but_never_other_features() {
    let folder = tempfile::tempdir().unwrap();
    let path = shard(folder.path(), 2);
    let columns: Vec<Column> = schema().columns().collect();
    let read = || -> Result<Vec<_>, ShardError> {
        let shard = Shard::open(&path)?;
        shard.iter(&columns).map(|i| Ok(i?.features)).collect()
    };
    let whole = fs::read(&path).unwrap();
    let expected = read().unwrap();
    let (mut refused, mut same) = (0, 0);
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, &bytes).unwrap();
        match read() {
            Err(_) => refused += 1,
            Ok(found) => {
                assert_eq!(found, expected, "byte {at}");
                same += 1;
            }
        }
    }
    assert!(refused > same, "{refused} refused, {same} the same");
}
