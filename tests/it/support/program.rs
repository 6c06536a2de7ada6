//! The program as a process, in a folder of its own and without the environment of whoever runs the tests.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// After this a run is taken to hang. It says nothing about speed: the machine may be busy with other things.
const HANGS: Duration = Duration::from_mins(2);

/// A run of the program to be.
pub(crate) struct Program {
    command: Command,
    folder: TempDir,
    input: Vec<u8>,
    colored: bool,
}

impl Program {
    /// The program with these arguments; its working directory is a fresh, empty folder.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fincheck"));
        command.args(arguments).current_dir(folder.path()).env_clear();
        for kept in ["PATH", "HOME", "SYSTEMROOT", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        Self { command, folder, input: Vec::new(), colored: false }
    }

    /// `fincheck run` of a suite that is read from a file, with the report in JSON as well.
    pub(crate) fn running(suite: &str) -> Self {
        Self::with(&["run", "suite.yaml", "-o", "report.json"]).file("suite.yaml", suite)
    }

    /// A further argument.
    pub(crate) fn and(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// An environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// A file in the working directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    /// What it reads from standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = text.as_bytes().to_vec();
        self
    }

    /// Colour is expected, so that escape sequences in the output are none of the target's.
    pub(crate) fn colored(mut self) -> Self {
        self.colored = true;
        self
    }

    /// Starts it.
    pub(crate) fn started(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        // One that ends without reading its input is no fault of the test.
        let _ = child.stdin.take().unwrap().write_all(&self.input);
        let streams = [read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap())];
        Running { child, streams, folder: self.folder, colored: self.colored }
    }

    /// Runs it to its end.
    pub(crate) fn ended(self) -> Ended {
        self.started().ended()
    }

    /// Runs it with nobody who reads its standard output.
    pub(crate) fn ended_unread(mut self) -> ExitStatus {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        drop(child.stdout.take());
        let errors = read(child.stderr.take().unwrap());
        let errors = errors.recv_timeout(HANGS).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("it does not end")
        });
        assert!(!errors.contains("panicked"), "{errors}");
        child.wait().unwrap()
    }
}

fn read(mut stream: impl Read + Send + 'static) -> Receiver<String> {
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = end.send(
            String::from_utf8(bytes).unwrap_or_else(|error| panic!("it wrote something else than UTF-8: {error}")),
        );
    });
    ended
}

/// The program at work.
pub(crate) struct Running {
    child: Child,
    streams: [Receiver<String>; 2],
    folder: TempDir,
    colored: bool,
}

impl Running {
    /// Interrupts it, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and says how much memory it held at most, in octets; nought where that is not known.
    pub(crate) fn ended_within(self) -> (Ended, u64) {
        let (status, done) = (format!("/proc/{}/status", self.child.id()), AtomicBool::new(false));
        thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let mut most = 0;
                while !done.load(Ordering::Relaxed) {
                    // One that has ended holds none any more.
                    let text = std::fs::read_to_string(&status).unwrap_or_default();
                    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
                    most = peak.map_or(most, |peak| most.max(peak << 10));
                    thread::sleep(Duration::from_millis(20));
                }
                most
            });
            let ended = self.ended();
            done.store(true, Ordering::Relaxed);
            (ended, watching.join().unwrap_or_default())
        })
    }

    /// Waits for its end; kills it if that does not come.
    pub(crate) fn ended(mut self) -> Ended {
        let until = Instant::now() + HANGS;
        let mut texts = Vec::new();
        for stream in &self.streams {
            let left = until.saturating_duration_since(Instant::now());
            texts.push(stream.recv_timeout(left).unwrap_or_else(|_| {
                let _ = self.child.kill();
                let told: Vec<String> = self.streams.iter().filter_map(|s| s.recv_timeout(HANGS).ok()).collect();
                panic!("it does not end; so far it said: {}", told.join("\n"))
            }));
        }
        let status = self.child.wait().unwrap();
        let [stdout, stderr] = <[String; 2]>::try_from(texts).unwrap();
        let ended = Ended { code: status.code(), stdout, stderr, folder: self.folder };
        ended.is_sound(self.colored);
        ended
    }
}

/// A run that ended.
pub(crate) struct Ended {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: TempDir,
}

impl Ended {
    /// No panic, and nothing that a terminal would obey.
    fn is_sound(&self, colored: bool) {
        for text in [&self.stdout, &self.stderr] {
            for trouble in ["panicked", "internal error", "RUST_BACKTRACE"] {
                assert!(!text.contains(trouble), "{trouble}: {}", self.told());
            }
            let obeyed = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(colored || !text.contains(obeyed), "a terminal would obey this: {}", self.told().escape_debug());
        }
    }

    /// It ended with this exit code.
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.told());
        self
    }

    /// It said this on standard output.
    pub(crate) fn prints(&self, text: &str) -> &Self {
        assert!(unwrapped(&self.stdout).contains(text), "standard output lacks {text:?}: {}", self.told());
        self
    }

    /// It said this on standard error.
    pub(crate) fn complains(&self, text: &str) -> &Self {
        assert!(unwrapped(&self.stderr).contains(text), "standard error lacks {text:?}: {}", self.told());
        self
    }

    /// Nothing came on standard output.
    pub(crate) fn prints_nothing(&self) -> &Self {
        assert!(self.stdout.is_empty(), "{}", self.told());
        self
    }

    /// Nothing came on standard error.
    pub(crate) fn complains_of_nothing(&self) -> &Self {
        assert!(self.stderr.is_empty(), "{}", self.told());
        self
    }

    /// The run could not be judged, for this reason.
    pub(crate) fn could_not_judge(&self, why: &str) -> &Self {
        self.exits(3).prints(why)
    }

    /// The run failed this rule, and the report says so in these words.
    pub(crate) fn found(&self, rule: &str, words: &str) -> &Self {
        let report = self.report();
        let failures: Vec<&Value> =
            report["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == "fail").collect();
        let told = |finding: &Value| format!("{}: {} {}", finding["rule"], finding["message"], finding["actual"]);
        let all: Vec<String> = failures.iter().map(|finding| told(finding)).collect();
        let found = failures.iter().any(|f| f["rule"] == rule && told(f).contains(words));
        assert!(found, "no failure of {rule} with {words:?} among {all:#?}: {}", self.told());
        self
    }

    /// The verdict of this rule in the report.
    pub(crate) fn verdict_of(&self, rule: &str) -> String {
        let report = self.report();
        let mut findings = report["findings"].as_array().unwrap().iter();
        let finding = findings.find(|finding| finding["rule"] == rule);
        finding.unwrap_or_else(|| panic!("{rule} was not judged: {}", self.told()))["verdict"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Neither stream nor any file it wrote holds one of these texts.
    pub(crate) fn keeps_to_itself(&self, secrets: &[&str]) -> &Self {
        let mut texts = vec![("standard output", self.stdout.clone()), ("standard error", self.stderr.clone())];
        if self.path().join("report.json").exists() {
            texts.push(("report.json", self.written("report.json")));
        }
        for (place, text) in texts {
            for secret in secrets {
                assert!(!text.contains(secret), "{place} holds {secret}: {text}");
            }
        }
        self
    }

    /// The JSON report that it wrote to `report.json`.
    pub(crate) fn report(&self) -> Value {
        let report: Value = serde_json::from_str(&self.written("report.json")).unwrap();
        assert_eq!(report["exit_code"].as_i64(), self.code.map(i64::from), "{}", self.told());
        report
    }

    /// The text of a file in its working directory.
    pub(crate) fn written(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}: {}", self.told()))
    }

    /// Its working directory.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Everything it said, for the message of a failed test.
    pub(crate) fn told(&self) -> String {
        format!("exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// A text with every run of spaces and line breaks as one space, so that wrapping does not matter.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
