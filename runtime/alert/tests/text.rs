//! One line a result, for whoever reads along.

mod common;

use andon_alert::{ResultLine, TextPort, TextServer, TextSettings};
use andon_link::Verdict;
use common::{ERROR, ms};
use serialport::{SerialPort, TTYPort};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LINE: ResultLine<'static> = ResultLine {
    station: "press 4",
    part: 1207,
    verdict: Verdict::Ng,
    score: Some(1.82),
    recipe: 2,
};

fn server() -> TextServer {
    let settings = TextSettings {
        address: "127.0.0.1:0".parse().unwrap(),
        open_to_network: false,
    };
    TextServer::bind(&settings).unwrap()
}

fn wait(server: &TextServer, readers: usize) {
    let end = Instant::now() + Duration::from_secs(5);
    while server.health().readers != readers {
        assert!(Instant::now() < end, "{:?}", server.health());
        sleep(ms(5));
    }
}

#[test]
fn a_line_has_seven_fields_whatever_the_names_and_scores_are() {
    assert_eq!(LINE.to_string(), "ANDON;press 4;1207;NG;1.820;2;0\r\n");
    let error = ResultLine {
        verdict: ERROR,
        score: None,
        ..LINE
    };
    assert_eq!(error.to_string(), "ANDON;press 4;1207;ERROR;;2;3\r\n");
    for station in ["", "a;b", "ä\r\nANDON;x", &"long".repeat(50)] {
        for score in [None, Some(f32::NAN), Some(f32::MAX), Some(-0.5)] {
            let line = ResultLine {
                station,
                score,
                ..LINE
            };
            let text = line.to_string();
            assert_eq!(text.split(';').count(), 7, "{text}");
            assert_eq!(text.matches('\n').count(), 1, "{text}");
        }
    }
}

#[test]
fn every_reader_gets_every_line_from_when_it_came() {
    let server = server();
    let mut readers: Vec<_> = (0..3)
        .map(|_| BufReader::new(TcpStream::connect(server.address()).unwrap()))
        .collect();
    wait(&server, 3);
    for part in 1..=50 {
        server.send(&ResultLine { part, ..LINE });
    }
    for reader in &mut readers {
        for part in 1..=50 {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert_eq!(line, ResultLine { part, ..LINE }.to_string());
        }
    }
    drop(readers);
    for _ in 0..50 {
        server.send(&LINE);
        sleep(ms(2));
    }
    wait(&server, 0);
}

#[test]
fn a_reader_that_takes_nothing_costs_only_its_own_lines() {
    let server = server();
    let _dead = TcpStream::connect(server.address()).unwrap();
    let mut alive = BufReader::new(TcpStream::connect(server.address()).unwrap());
    wait(&server, 2);
    let taken = std::thread::spawn(move || {
        let mut line = String::new();
        let mut count = 0;
        while alive.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            count += 1;
            line.clear();
        }
        count
    });
    let begun = Instant::now();
    // Enough to fill the buffers of a connection that nobody reads, at a pace that a reader keeps.
    for part in 0..200_000 {
        server.send(&ResultLine { part, ..LINE });
        if part % 100 == 0 {
            sleep(ms(1));
        }
    }
    let took = begun.elapsed();
    let dropped = server.health().dropped;
    drop(server);
    let taken = taken.join().unwrap();
    eprintln!("{taken} lines taken, {dropped} dropped, {took:?}");
    assert!(dropped > 0 && taken > 100_000, "{taken} {dropped}");
}

#[test]
fn a_ninth_reader_displaces_the_oldest() {
    let server = server();
    let mut oldest = TcpStream::connect(server.address()).unwrap();
    wait(&server, 1);
    let _others: Vec<_> = (0..8)
        .map(|_| TcpStream::connect(server.address()).unwrap())
        .collect();
    oldest
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    assert_eq!(oldest.read(&mut [0; 8]).unwrap(), 0);
    wait(&server, 8);
    assert_eq!(server.health().displaced, 1);
}

#[test]
fn an_address_that_others_can_reach_needs_leave() {
    let mut settings = TextSettings {
        address: "0.0.0.0:0".parse().unwrap(),
        open_to_network: false,
    };
    assert!(TextServer::bind(&settings).is_err());
    settings.open_to_network = true;
    assert!(TextServer::bind(&settings).is_ok());
}

#[test]
fn a_serial_port_takes_the_same_lines_and_one_that_is_not_there_is_told() {
    let (mut far, near) = TTYPort::pair().unwrap();
    far.set_timeout(ms(5000)).unwrap();
    let port = TextPort::spawn(near.name().unwrap().into(), 9600).unwrap();
    port.send(&LINE);
    let mut bytes = vec![0; LINE.to_string().len()];
    far.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, LINE.to_string().as_bytes());
    assert_eq!(port.health().fault, None);

    let missing = TextPort::spawn("/dev/nowhere".into(), 9600).unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    while missing.health().fault.is_none() {
        assert!(Instant::now() < end);
        sleep(ms(5));
    }
    missing.send(&LINE);
    assert!(missing.health().fault.unwrap().starts_with("/dev/nowhere"));
}
