//! The local socket, asked well, badly, and not at all; and what the service manager hears.

use andon_alert::{AskError, Bell, Request, Response, Service, SocketError, StatusSocket, ask};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);

/// A station that answers a few requests.
fn station(path: &Path) -> (StatusSocket, thread::JoinHandle<Vec<Request>>) {
    let (socket, asked) =
        StatusSocket::bind(path, Duration::from_millis(200), Bell::silent()).unwrap();
    let station = thread::spawn(move || {
        let mut requests = Vec::new();
        for asked in asked {
            requests.push(asked.request.clone());
            match &asked.request {
                Request::Status => asked.answer(Response::Status(json!({"state": "ready"}))),
                Request::Recipe { recipe } if recipe == "nowhere" => {
                    asked.answer(Response::Refused("no such recipe".into()));
                }
                // Not answered in time.
                Request::Challenge { .. } => drop(thread::spawn(move || {
                    thread::sleep(Duration::from_millis(400));
                    asked.answer(Response::Done);
                })),
                _ => asked.answer(Response::Done),
            }
        }
        requests
    });
    (socket, station)
}

#[test]
fn the_bell_is_rung_once_a_request_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("status");
    let (ring, rung) = channel();
    let bell = Bell::new(move || ring.send(()).unwrap());
    let (_socket, asked) = StatusSocket::bind(&path, LIMIT, bell).unwrap();
    let client = thread::spawn(move || ask(&path, &Request::Trigger, LIMIT));
    rung.recv_timeout(LIMIT).unwrap();
    let waiting = asked.try_recv().expect("it is there when the bell rings");
    assert_eq!(waiting.request, Request::Trigger);
    waiting.answer(Response::Done);
    assert_eq!(client.join().unwrap().unwrap(), Response::Done);
}

#[test]
fn every_request_comes_through_and_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("status");
    let (socket, station) = station(&path);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let status = ask(&path, &Request::Status, LIMIT).unwrap();
    assert_eq!(status, Response::Status(json!({"state": "ready"})));
    let who = "Ann".to_owned();
    for request in [
        Request::Trigger,
        Request::Ack,
        Request::ResetCounters { who: who.clone() },
    ] {
        assert_eq!(ask(&path, &request, LIMIT).unwrap(), Response::Done);
    }
    let recipe = "nowhere".to_owned();
    let refused = ask(&path, &Request::Recipe { recipe }, LIMIT).unwrap();
    assert_eq!(refused, Response::Refused("no such recipe".into()));
    let late = ask(&path, &Request::Challenge { who }, LIMIT).unwrap();
    assert!(matches!(late, Response::Refused(why) if why.contains("in time")));
    drop(socket);
    assert!(!path.exists());
    assert_eq!(station.join().unwrap().len(), 6);
    assert!(matches!(
        ask(&path, &Request::Status, LIMIT),
        Err(AskError::NoStation { .. })
    ));
}

#[test]
fn bad_input_gets_an_error_line_and_the_next_request_is_still_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("status");
    let (_socket, _station) = station(&path);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut send = |bytes: &[u8]| {
        stream.write_all(bytes).unwrap();
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line
    };
    let deep = [vec![b'['; 3000], b"\n".to_vec()].concat();
    let bad: [&[u8]; 8] = [
        b"\n",
        b"nonsense\n",
        b"{\"request\":\"explode\"}\n",
        b"{\"request\":\"recipe\"}\n",
        b"{\"request\":\"recipe\",\"recipe\":\"a\",\"more\":1}\n",
        b"\xff\xfe\x00\n",
        b"null\n",
        &deep,
    ];
    for line in bad {
        assert!(
            send(line).starts_with("{\"refused\":"),
            "{}",
            line.escape_ascii()
        );
    }
    assert_eq!(
        send(b"{\"request\":\"status\"}\n"),
        "{\"status\":{\"state\":\"ready\"}}\n"
    );
    assert!(send(&[b'x'; 4096]).contains("at most 4096"));
    assert_eq!(send(b""), "");
}

#[test]
fn a_socket_left_by_a_killed_station_is_replaced_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("status");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let (_socket, _asked) = StatusSocket::bind(&path, LIMIT, Bell::silent()).unwrap();
    let second = StatusSocket::bind(&path, LIMIT, Bell::silent()).unwrap_err();
    assert!(matches!(second, SocketError::InUse { .. }));
    let file = folder.path().join("file");
    fs::write(&file, "kept").unwrap();
    let in_the_way = StatusSocket::bind(&file, LIMIT, Bell::silent()).unwrap_err();
    assert!(matches!(in_the_way, SocketError::InTheWay { .. }));
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}

const CHILD: &str = "ANDON_NOTIFIES";

/// Runs only as the child of the test below, with the service manager's environment.
#[test]
#[ignore = "the child of `the_service_manager_hears_of_start_progress_and_stop`"]
fn notifies() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut service = Service::new();
    assert_eq!(service.feed_every(), Some(Duration::from_secs(1)));
    service.ready().unwrap();
    service.status("3 parts,\n1 NG").unwrap();
    for now in [0, 100, 999, 1000, 1500, 2000] {
        service.progress(Duration::from_millis(now)).unwrap();
    }
    service.stopping().unwrap();
}

#[test]
fn the_service_manager_hears_of_start_progress_and_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(LIMIT)).unwrap();
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "notifies", "--ignored"])
        .env(CHILD, "1")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "2000000")
        .env_remove("WATCHDOG_PID")
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let heard: Vec<_> = (0..6)
        .map(|_| {
            let mut bytes = [0; 256];
            let count = manager.recv(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes[..count]).trim().to_owned()
        })
        .collect();
    let fed = "WATCHDOG=1";
    assert_eq!(
        heard,
        [
            "READY=1",
            "STATUS=3 parts, 1 NG",
            fed,
            fed,
            fed,
            "STOPPING=1"
        ]
    );
}

#[test]
fn started_by_hand_there_is_no_service_manager_and_nothing_fails() {
    let mut service = Service::new();
    assert_eq!(service.feed_every(), None);
    service.ready().unwrap();
    service.progress(Duration::ZERO).unwrap();
}
