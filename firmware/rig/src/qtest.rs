//! QEMU's test socket: sets levels of input pins, and tells each change of an output.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A change of an output pin: pin, and level.
pub(crate) type Change = (u8, bool);

#[derive(Debug)]
pub(crate) struct Qtest {
    socket: UnixStream,
    text: Vec<u8>,
    changes: Vec<Change>,
}

impl Qtest {
    pub const fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            text: Vec::new(),
            changes: Vec::new(),
        }
    }

    pub fn command(&mut self, command: &str) -> Result<()> {
        writeln!(self.socket, "{command}")?;
        let limit = Instant::now() + Duration::from_secs(10);
        while Instant::now() < limit {
            if let Some(answer) = self.read(Duration::from_millis(50))? {
                if answer.starts_with("OK") {
                    return Ok(());
                }
                bail!("QEMU answers {answer:?} to {command:?}");
            }
        }
        bail!("QEMU does not answer to {command:?}")
    }

    /// The changes since the last call.
    pub fn changes(&mut self) -> Result<Vec<Change>> {
        while self.read(Duration::from_millis(1))?.is_some() {}
        Ok(std::mem::take(&mut self.changes))
    }

    /// Reads what is there; gives a line that tells no change.
    fn read(&mut self, wait: Duration) -> Result<Option<String>> {
        self.socket.set_read_timeout(Some(wait))?;
        loop {
            while let Some(end) = self.text.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                match line.strip_prefix("IRQ ") {
                    Some(change) => self.changes.push(parse(change)?),
                    None => return Ok(Some(line)),
                }
            }
            let mut some = [0; 512];
            match self.socket.read(&mut some) {
                Ok(0) => bail!("QEMU closed its test socket: it has ended"),
                Ok(count) => self.text.extend_from_slice(&some[..count]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error).context("the test socket of QEMU"),
            }
        }
    }
}

fn parse(change: &str) -> Result<Change> {
    let (how, pin) = change
        .split_once(' ')
        .with_context(|| format!("QEMU tells of a change {change:?}"))?;
    Ok((pin.trim().parse()?, how == "raise"))
}
