//! The servers: installed once, each test with one of its own on a free loopback port, gone when the test ends.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;

use crate::folder;

/// The longest a server may take to listen, on a machine that is busy building.
const STARTING: Duration = Duration::from_mins(1);
/// Another process may take the free port first; so often another one is tried.
const TRIES: usize = 3;

/// A piece of software.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Software {
    /// Cursor, offset and page number pagination over one table.
    DjangoRestFramework,
    /// A JSON file as an API.
    JsonServer,
    /// A stand-in for Stripe.
    Localstripe,
    /// Rate limiters from npm: express-rate-limit, @fastify/rate-limit, rate-limiter-flexible.
    NodeLimiters,
    /// Flask-Limiter with its three strategies.
    FlaskLimiter,
    /// django-idempotency-key before a table of payments.
    DjangoIdempotencyKey,
    /// A bank that speaks ISO 20022.
    MockBank,
    /// nginx as a gateway with `limit_req`.
    Nginx,
    /// Streams of the websockets library.
    Websockets,
    /// Streams of aiohttp.
    Aiohttp,
    /// Streams of npm's ws.
    Ws,
    /// Foundry's Ethereum node, with three blocks a second.
    Anvil,
    /// Socket.IO with connection state recovery.
    SocketIo,
    /// Socket.IO without it, as it is unless told otherwise.
    SocketIoForgetful,
    /// `ShareDB`: documents shared by operations.
    ShareDb,
}

/// A server under way; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    state: TempDir,
}

/// Where the software is installed: `target/third_party`.
fn installation() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("third_party")
}

/// Installs the software, once for all tests.
pub(crate) fn install() {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let output = Command::new(folder().join("install")).arg(installation()).output();
        let output = output.map_err(|error| format!("tests/third_party/install: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or(said)
    });
    if let Err(why) = installed {
        panic!("the third-party software cannot be installed: {why}");
    }
}

/// Where nginx is, if it is installed.
fn nginx() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").map_or_else(Vec::new, |path| std::env::split_paths(&path).collect());
    let all = folders.into_iter().chain(["/usr/sbin".into()]).map(|folder: PathBuf| folder.join("nginx"));
    all.into_iter().find(|candidate| candidate.is_file())
}

impl Software {
    /// Whether it is there: all of it is installed but nginx, which belongs to the system.
    pub(crate) fn is_installed(self) -> bool {
        !matches!(self, Self::Nginx) || nginx().is_some()
    }

    /// Starts a server and waits until it listens.
    pub(crate) fn start(self) -> Server {
        let mut failure = String::new();
        for _ in 0..TRIES {
            let state = TempDir::new().expect("a temporary folder");
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            let address = free.expect("a free port on loopback");
            let log = File::create(state.path().join("log")).expect("a log file");
            let mut command = self.command(state.path(), address.port());
            command.current_dir(state.path()).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
            command.stdout(log.try_clone().expect("a log file")).stderr(log);
            let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
            let mut server = Server { child, address, state };
            if server.listens() {
                return server;
            }
            failure = server.log();
        }
        panic!("{self:?} does not listen: {failure}");
    }

    fn command(self, state: &Path, port: u16) -> Command {
        let python = |script: &str| {
            let mut command = Command::new(installation().join("python/bin/python"));
            command.arg(folder().join("servers").join(script));
            command
        };
        let node = |script: &str| {
            // Node looks for packages beside the script.
            let glue = state.join(script);
            fs::copy(folder().join("servers").join(script), &glue).expect("a copy of the glue");
            let packages = state.join("node_modules");
            std::os::unix::fs::symlink(installation().join("node/node_modules"), packages).expect("a link");
            let mut command = Command::new("node");
            command.arg(glue);
            command
        };
        let mut command = match self {
            Self::DjangoRestFramework => {
                let mut command = python("drf.py");
                command.arg(state.join("payments.sqlite3"));
                command
            }
            Self::Localstripe => python("stripe_stand_in.py"),
            Self::NodeLimiters => node("limiters.mjs"),
            Self::Ws => node("ws_streams.mjs"),
            Self::Websockets => python("websockets_streams.py"),
            Self::Aiohttp => python("aiohttp_streams.py"),
            Self::Anvil => {
                // The program itself: the wrapper that npm installs would outlive the test.
                let packages = installation().join("node/node_modules/@foundry-rs");
                let programs = fs::read_dir(packages).expect("the packages of anvil").flatten();
                let mut programs = programs.map(|package| package.path().join("bin/anvil"));
                let mut command = Command::new(programs.find(|program| program.is_file()).expect("the program anvil"));
                command.args(["--silent", "--host", "127.0.0.1", "--block-time", "0.3", "--port"]);
                command
            }
            Self::SocketIo | Self::SocketIoForgetful => {
                let mut command = node("socketio.mjs");
                command.arg(if matches!(self, Self::SocketIo) { "recovers" } else { "forgets" });
                command
            }
            Self::ShareDb => node("sharedb.mjs"),
            Self::FlaskLimiter => python("flask_limits.py"),
            Self::DjangoIdempotencyKey => {
                let mut command = python("idempotent.py");
                command.arg(state.join("payments.sqlite3"));
                command
            }
            Self::MockBank => {
                let mut command = Command::new(installation().join("python/bin/mock-bank"));
                command.args([
                    "--host",
                    "127.0.0.1",
                    "--auth",
                    "bank:secret",
                    "--status-delay-ms",
                    "1500",
                    "-q",
                    "--port",
                ]);
                command
            }
            Self::Nginx => {
                let template = fs::read_to_string(folder().join("servers/nginx.conf")).expect("a configuration");
                let text = template.replace("PORT", &port.to_string()).replace("STATE", &state.display().to_string());
                let configuration = state.join("nginx.conf");
                fs::write(&configuration, text).expect("a configuration");
                let mut command = Command::new(nginx().expect("nginx is installed"));
                command.arg("-p").arg(state).arg("-e").arg(state.join("errors")).arg("-c").arg(configuration);
                // It knows its port, and takes no other arguments.
                return command;
            }
            Self::JsonServer => {
                let payments: Vec<_> =
                    (1..=23).map(|id| json!({ "id": id, "reference": format!("seed-{id}") })).collect();
                fs::write(state.join("db.json"), json!({ "payments": payments }).to_string()).expect("a data file");
                let mut command = Command::new("node");
                command.arg(installation().join("node/node_modules/json-server/lib/cli/bin.js"));
                command.args(["--quiet", "--host", "127.0.0.1", "db.json", "--port"]);
                command
            }
        };
        command.arg(port.to_string());
        command
    }
}

impl Server {
    /// Where it listens.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it printed.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.state.path().join("log")).unwrap_or_default();
        format!("the server printed:\n{}", String::from_utf8_lossy(&log))
    }

    /// Waits until it accepts connections; false if it ends first.
    fn listens(&mut self) -> bool {
        let deadline = Instant::now() + STARTING;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok() {
                // Whoever listens may be another process, if ours is about to say that the port is taken.
                return matches!(self.child.try_wait(), Ok(None));
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
