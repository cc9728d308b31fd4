//! Runs an ONNX file through rten once for each line of standard input and answers with the seconds
//! that it took: `rten-rival MODEL.onnx SIDE THREADS`.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use rten::{ModelOptions, RunOptions, ThreadPool};
use rten_tensor::{AsView, NdTensor};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, side, threads] = &words[..] else {
        bail!("usage: rten-rival MODEL.onnx SIDE THREADS");
    };
    let (side, threads) = (side.parse()?, threads.parse()?);
    let model = ModelOptions::with_all_ops()
        .prepack_weights(true)
        .load_file(path)?;
    let image = NdTensor::full([1, 3, side, side], 0.5f32);
    let input = *model
        .input_ids()
        .first()
        .context("the model has no input")?;
    let pool = Arc::new(ThreadPool::with_num_threads(threads));
    for line in std::io::stdin().lines() {
        line?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&pool)));
        let start = Instant::now();
        model.run(
            vec![(input, image.view().into())],
            model.output_ids(),
            Some(options),
        )?;
        println!("{}", start.elapsed().as_secs_f64());
    }
    Ok(())
}
