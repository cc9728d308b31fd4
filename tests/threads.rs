//! The threads of a program: how many there are, on which cores they run, and that neither changes a
//! result. Only Linux tells what threads there are; elsewhere that is left out, and said.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use andon::pipeline::Pipeline;
use andon::recipe::Recipe;
use andon::vit::{Backbone, Engine, Model, TapRequest, Threads};
use andon_kernels::allowed_cores;
use common::{andon, bad, good, learn, write_good};

/// These tests count the threads of their own process, so that they take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Threads of a process by number: name, and the cores that it may run on, as the kernel writes them.
type Tasks = BTreeMap<u32, (String, String)>;

/// Those of process `id`; `None`, and said, where the system does not tell.
fn tasks(id: u32) -> Option<Tasks> {
    let Ok(folder) = fs::read_dir(format!("/proc/{id}/task")) else {
        eprintln!("*** SKIPPED: this system does not tell the threads of a process ***");
        return None;
    };
    let of = |path: PathBuf| {
        let number = path.file_name()?.to_str()?.parse().ok()?;
        let name = fs::read_to_string(path.join("comm")).ok()?;
        let status = fs::read_to_string(path.join("status")).ok()?;
        let cores = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Some((number, (name.trim().into(), cores.trim().into())))
    };
    // One that ends meanwhile is none.
    Some(folder.filter_map(|entry| of(entry.ok()?.path())).collect())
}

/// Names and cores of those whose name begins so.
fn named(tasks: &Tasks, prefix: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = tasks
        .values()
        .filter(|(name, _)| name.starts_with(prefix))
        .cloned()
        .collect();
    found.sort();
    found
}

/// Those of this test: threads of the program, and such as it starts without a name, which then have
/// that of the test. Threads of other tests come and go.
fn own_tasks() -> Option<Tasks> {
    let name = fs::read_to_string("/proc/thread-self/comm").ok()?;
    let mut tasks = tasks(std::process::id())?;
    tasks.retain(|_, (of, _)| of.starts_with("andon-") || of == name.trim());
    Some(tasks)
}

fn count(prefix: &str) -> Option<usize> {
    Some(named(&tasks(std::process::id())?, prefix).len())
}

/// Two cores that threads may be bound to; `None`, and said, where there are not so many.
fn two_cores() -> Option<[usize; 2]> {
    let cores = allowed_cores();
    let two = cores.get(..2).and_then(|two| two.try_into().ok());
    if two.is_none() {
        eprintln!(
            "*** SKIPPED: threads can be bound to {} cores here ***",
            cores.len()
        );
    }
    two
}

static RECIPE: LazyLock<Recipe> = LazyLock::new(|| learn(4));

#[test]
fn all_networks_of_a_program_share_its_threads() {
    let _turn = alone();
    let Some(before) = count("andon-") else {
        return;
    };
    assert_eq!(before, 0);
    let model = Model::embedded().unwrap();
    let threads = Threads::new(3).unwrap();
    assert_eq!(count("andon-kernel-"), Some(2));
    let pipelines = [(); 2].map(|()| Pipeline::new(&model, &RECIPE, &threads).unwrap());
    let request = TapRequest::tokens([2]);
    let other = Backbone::new(&model, (28, 42), &request, &threads).unwrap();
    other.run(&[0.5; 3 * 28 * 42]).unwrap();
    let started = own_tasks().unwrap();
    for part in 0..3 {
        for pipeline in &pipelines {
            pipeline.inspect(&good(part)).unwrap();
        }
        assert_eq!(own_tasks().unwrap(), started, "part {part}");
    }
    assert_eq!(named(&started, "andon-").len(), 2, "{started:?}");
    // They end with the last that needs them.
    drop((pipelines, threads));
    assert_eq!(count("andon-kernel-"), Some(2));
    drop(other);
    assert_eq!(count("andon-"), Some(0));
}

/// Page faults of the threads of this test so far that needed no disk: memory that was not touched
/// before.
fn page_faults() -> Option<u64> {
    let of = |id: u32| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok()?;
        // Behind the name, which may hold anything, the eighth field.
        let fields = text.rsplit_once(')')?.1;
        fields.split_whitespace().nth(7)?.parse().ok()
    };
    own_tasks()?.into_keys().map(of).sum()
}

/// glibc is told to keep what a run gives back; other allocators are left as they are.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn once_warm_a_run_takes_no_memory_that_it_had_not_before() {
    let _turn = alone();
    let model = Model::embedded().unwrap();
    let request = TapRequest::tokens(5..=8);
    let threads = Threads::new(2).unwrap();
    let network = Backbone::new(&model, (448, 448), &request, &threads).unwrap();
    let input = vec![0.5; 3 * 448 * 448];
    let run = |times: u64| (0..times).for_each(|_| drop(network.run(&input).unwrap()));
    run(6);
    let before = page_faults().unwrap();
    run(6);
    let each = (page_faults().unwrap() - before) / 6;
    // One value of this size has 385 pages.
    assert!(each < 100, "{each} page faults a run");
}

#[test]
fn the_engine_has_threads_only_where_something_is_left_to_it_and_only_once() {
    let _turn = alone();
    let Some(cores) = two_cores() else {
        return;
    };
    let model = Model::embedded().unwrap();
    let request = TapRequest::tokens([1]);
    let threads = Threads::asked(None, &[cores[1], cores[0]]).unwrap();
    // Whoever is bound to one core must not bind the engine to the same.
    let _bound = threads.bind_caller().unwrap();
    let network = |engine| {
        let size = (28, 28);
        Backbone::with_engine(&model, size, &request, &threads, engine).unwrap()
    };
    let fused = network(Engine::Fused);
    assert!(fused.engine_kernels().is_empty());
    assert_eq!(count("andon-vit-"), Some(0));
    let plain = [(); 2].map(|()| network(Engine::Plain));
    plain.iter().for_each(|network| {
        network.run(&[0.5; 3 * 28 * 28]).unwrap();
    });
    let all = tasks(std::process::id()).unwrap();
    let expected = if cfg!(feature = "engine-threads") {
        2
    } else {
        0
    };
    let of_engine = named(&all, "andon-vit-");
    assert_eq!(of_engine.len(), expected, "{all:?}");
    for (name, on) in of_engine {
        assert!(
            [
                format!("{}-{}", cores[0], cores[1]),
                format!("{},{}", cores[0], cores[1])
            ]
            .contains(&on),
            "{name}: {on}"
        );
    }
}

#[test]
fn bound_threads_run_on_the_cores_that_were_named() {
    let _turn = alone();
    let Some([first, second]) = two_cores() else {
        return;
    };
    let before = allowed_cores();
    let threads = Threads::asked(Some(2), &[second, first]).unwrap();
    {
        let _bound = threads.bind_caller().unwrap();
        assert_eq!(allowed_cores(), [second]);
        let all = tasks(std::process::id()).unwrap();
        let worker = [("andon-kernel-1".to_string(), first.to_string())];
        assert_eq!(named(&all, "andon-"), worker);
    }
    assert_eq!(allowed_cores(), before);
    assert!(threads.serve(None, &[second, first]));
    assert!(!threads.serve(None, &[first, second]) && !threads.serve(Some(2), &[]));
}

#[test]
fn one_two_and_four_threads_bound_or_not_give_the_same_bits() {
    let _turn = alone();
    let model = Model::embedded().unwrap();
    let mut ways: Vec<Threads> = [1, 2, 4]
        .map(|threads| Threads::new(threads).unwrap())
        .into();
    ways.push(Threads::alone());
    if let Some(cores) = two_cores() {
        ways.push(Threads::asked(None, &cores).unwrap());
    }
    let bits = |threads: &Threads| {
        let _bound = threads.bind_caller().unwrap();
        let pipeline = Pipeline::new(&model, &RECIPE, threads).unwrap();
        [good(20), bad(21).image].map(|part| {
            let inspection = pipeline.inspect(&part).unwrap().inspection;
            let map: Vec<u32> = inspection.map.values.iter().map(|v| v.to_bits()).collect();
            (inspection.score.to_bits(), map, inspection.regions)
        })
    };
    let expected = bits(&ways[0]);
    for threads in &ways[1..] {
        assert!(bits(threads) == expected, "{threads:?}");
    }
}

#[test]
fn cores_that_cannot_be_had_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("line.andon");
    RECIPE.clone().write(&recipe).unwrap();
    let part = write_good(folder.path(), 0..1).remove(0);
    let inspect = |more: &[&str]| {
        let paths = [recipe.to_str().unwrap(), part.to_str().unwrap()];
        andon(["inspect", "-r"].iter().chain(&paths).chain(more))
    };
    let allowed = allowed_cores();
    if allowed.is_empty() {
        inspect(&["--cores", "0"]).refuses(&["--cores", "does not bind threads"]);
        return;
    }
    let last = allowed.last().unwrap().to_string();
    inspect(&["--cores", "1023"]).refuses(&["--cores", "core 1023", "name some of", &last]);
    let twice = format!("{last},{last}");
    inspect(&["--cores", &twice]).refuses(&["is named twice"]);
    inspect(&["--cores", &last, "--threads", "2"]).refuses(&["threads is 2", "named is 1"]);
    let free = inspect(&["--json"]).exits(0).object();
    let bound = inspect(&["--json", "--cores", &last]).exits(0).object();
    assert_eq!(
        (&free["score"], &free["verdict"]),
        (&bound["score"], &bound["verdict"])
    );
}

#[test]
fn a_bench_runs_on_the_cores_that_are_named_its_station_too() {
    let Some(core) = allowed_cores().last().copied() else {
        eprintln!("*** SKIPPED: threads cannot be bound to cores here ***");
        return;
    };
    let words = format!("bench --size 112 --images 3 --cores {core} --json");
    let report = andon(words.split(' ')).exits(0).object();
    let measured = &report["measured"][0];
    assert_eq!(measured["threads"], 1);
    assert_eq!(measured["cores"], serde_json::json!([core]));
    assert_eq!(measured["station"]["parts"], 3);
    let words = format!("bench --threads 1,2 --cores {core}");
    andon(words.split(' ')).refuses(&["--threads 2 needs as many --cores, and 1 are named"]);
}

/// A station on endless good parts, a few a second.
struct Station {
    folder: tempfile::TempDir,
}

impl Station {
    fn new(judging: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_good(&folder.path().join("parts"), 0..2);
        RECIPE
            .clone()
            .write(&folder.path().join("line.andon"))
            .unwrap();
        let text = format!(
            "name = \"press 4\"\n[camera]\nsource = \"replay\"\nfolder = \"parts\"\nendless = true\n\
             interval_ms = 300\n[[recipe]]\nindex = 1\nfile = \"line.andon\"\n[judging]\n{judging}\n\
             [record]\nfolder = \"record\"\nleave_free_mb = 1\n"
        );
        fs::write(folder.path().join("station.toml"), text).unwrap();
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("station.toml")
    }

    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_andon"))
            .args(["run", "--quiet", "--station"])
            .arg(self.file())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap()
    }

    /// Parts in the record.
    fn parts(&self) -> usize {
        let Ok(files) = fs::read_dir(self.folder.path().join("record/journal")) else {
            return 0;
        };
        let texts = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
        texts
            .map(|text| text.matches("\"inspection\":").count())
            .sum()
    }

    fn wait_for(&self, parts: usize) {
        let until = Instant::now() + Duration::from_secs(90);
        while self.parts() < parts {
            assert!(Instant::now() < until, "no {parts} parts within 90 s");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ends a station, whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_station_binds_who_judges_and_starts_no_thread_while_it_runs() {
    let Some([first, second]) = two_cores() else {
        return;
    };
    let station = Station::new(&format!("cores = [{second}, {first}]"));
    let running = Running(station.start());
    station.wait_for(3);
    let early = tasks(running.0.id()).unwrap();
    station.wait_for(9);
    let late = tasks(running.0.id()).unwrap();
    let new: Vec<_> = late
        .iter()
        .filter(|(id, _)| !early.contains_key(id))
        .collect();
    assert!(new.is_empty(), "started between two parts: {new:?}");
    let on = |name: &str| {
        let found = named(&late, name);
        assert_eq!(found.len(), 1, "{name} among {late:?}");
        found[0].1.clone()
    };
    assert_eq!(on("inspector"), second.to_string());
    assert_eq!(on("andon-kernel-1"), first.to_string());
    // Whatever else the station does stays free.
    let own = std::process::id();
    let (_, unbound) = &tasks(own).unwrap()[&own];
    let judging = ["inspector", "andon-kernel-1"];
    let others = late
        .values()
        .filter(|(name, _)| !judging.contains(&&name[..]));
    for (name, cores) in others {
        assert_eq!(cores, unbound, "{name}");
    }
    assert_eq!(on("measure"), *unbound);
}

#[test]
fn a_station_file_that_is_read_again_is_judged_on_the_same_threads() {
    if tasks(std::process::id()).is_none() {
        return;
    }
    let station = Station::new("threads = 3");
    let running = Running(station.start());
    station.wait_for(1);
    let numbers = |name: &str| -> Vec<u32> {
        let all = tasks(running.0.id()).unwrap();
        let named = all.into_iter().filter(|(_, (of, _))| of.starts_with(name));
        named.map(|(number, _)| number).collect()
    };
    let (inspector, kernels) = (numbers("inspector"), numbers("andon-kernel-"));
    assert_eq!((inspector.len(), kernels.len()), (1, 2));
    let hangup = Command::new("kill")
        .args(["-HUP", &running.0.id().to_string()])
        .status();
    assert!(hangup.unwrap().success());
    let until = Instant::now() + Duration::from_secs(90);
    while [&inspector, &Vec::new()].contains(&&numbers("inspector")) {
        assert!(Instant::now() < until, "it was not read again within 90 s");
        std::thread::sleep(Duration::from_millis(20));
    }
    station.wait_for(station.parts() + 1);
    assert_eq!(numbers("andon-kernel-"), kernels);
}

#[test]
fn a_station_file_with_a_core_that_is_not_there_is_refused_before_it_runs() {
    let check = |judging: &str| {
        let station = Station::new(judging);
        let file = station.file();
        andon([Path::new("check"), Path::new("--station"), &file])
    };
    check("cores = [1023]").refuses(&["[judging]", "1023"]);
    check("cores = [0, 0]").refuses(&["judging.cores", "core 0 is named twice"]);
    check("cores = [0]\nthreads = 3").refuses(&["judging.cores", "threads is 3", "named is 1"]);
}
