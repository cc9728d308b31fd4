//! QEMU's control socket: one JSON object a line, answers between events.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Qmp {
    lines: BufReader<UnixStream>,
}

impl Qmp {
    pub fn new(socket: UnixStream) -> Result<Self> {
        let mut qmp = Self {
            lines: BufReader::new(socket),
        };
        qmp.line().context("QEMU's greeting")?;
        qmp.command("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    pub fn command(&mut self, name: &str, arguments: &Value) -> Result<Value> {
        let command = json!({"execute": name, "arguments": arguments});
        writeln!(self.lines.get_mut(), "{command}").context("the control socket of QEMU")?;
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                bail!("QEMU refuses {command}: {error}");
            }
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
        }
    }

    /// The 32-bit word at a physical address.
    pub fn word(&mut self, address: u32) -> Result<u32> {
        let line = format!("xp /1wx {address:#x}");
        let answer = self.command("human-monitor-command", &json!({"command-line": line}))?;
        let text = answer.as_str().unwrap_or_default();
        text.split_once("0x")
            .and_then(|(_, hex)| u32::from_str_radix(hex.trim(), 16).ok())
            .with_context(|| format!("QEMU answers {text:?} for a word of memory"))
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            bail!("QEMU closed its control socket: it has ended");
        }
        serde_json::from_str(&line).with_context(|| format!("QEMU says {line:?}"))
    }
}
