//! A private PostgreSQL, made as `tests/run` makes it: default settings, durable commits, loopback and a password only.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use kopru_store::random;
use tempfile::TempDir;

/// Somebody else may take the port between the look and the start.
const ATTEMPTS: usize = 10;
/// Waits until the program is gone, however it went, and then stops the server and removes its folder.
const GUARD: &str = r#"trap '' INT TERM HUP
program=$1 folder=$2
shift 2
while kill -0 "$program" 2>/dev/null; do sleep 1; done
cd / && "$@" >/dev/null 2>&1
rm -rf "$folder""#;

/// A PostgreSQL server: a private one, or that of `KOPRU_TEST_POSTGRES_URL`.
#[derive(Debug)]
pub struct Cluster {
    /// Address of its maintenance database.
    pub url: String,
    _private: Option<Private>,
}

/// What has to be stopped and removed.
#[derive(Debug)]
struct Private {
    folder: TempDir,
    programs: PathBuf,
    owner: Option<&'static str>,
    guard: Option<Child>,
}

impl Cluster {
    /// Starts one, unless the environment names one.
    pub fn start() -> Result<Self> {
        if let Some(url) = given() {
            return Ok(Self { url, _private: None });
        }
        let mut private = Private::init()?;
        let url = private.boot()?;
        Ok(Self { url, _private: Some(private) })
    }
}

#[expect(clippy::disallowed_methods, reason = "how tests/run names the cluster it has started")]
fn given() -> Option<String> {
    std::env::var("KOPRU_TEST_POSTGRES_URL").ok()
}

impl Private {
    fn init() -> Result<Self> {
        let programs = find_programs()?;
        let folder = TempDir::with_prefix("kopru-bench-pg.")?;
        let private = Self { programs, owner: owner(), guard: None, folder };
        if let Some(owner) = private.owner {
            run(Command::new("chown").arg(owner).arg(private.folder.path()))?;
        }
        Ok(private)
    }

    fn boot(&mut self) -> Result<String> {
        let password = hex::encode(random::<16>());
        let file = self.path("password");
        fs::write(&file, format!("{password}\n"))?;
        if let Some(owner) = self.owner {
            run(Command::new("chown").arg(owner).arg(&file))?;
        }
        let data = self.path("data");
        let mut initdb = self.command("initdb");
        initdb.args([
            "--username",
            "kopru",
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
        ]);
        run(initdb.args(["--no-sync", "--pwfile"]).arg(&file).arg("--pgdata").arg(&data))?;
        let mut settings = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?;
        settings.write_all(
            b"listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 200\n",
        )?;
        self.guard = Some(self.start_guard()?);
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut start = self.command("pg_ctl");
            start.args(["start", "--wait", "--silent", "--pgdata"]).arg(&data);
            start.arg("--log").arg(self.path("server.log")).arg("--options").arg(format!("-p {port}"));
            if run(&mut start).is_ok() {
                return Ok(format!("postgres://kopru:{password}@127.0.0.1:{port}/postgres"));
            }
        }
        let log = fs::read_to_string(self.path("server.log")).unwrap_or_default();
        bail!("PostgreSQL does not start: {log}")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of PostgreSQL's programs, run as a user that it accepts.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = match self.owner {
            Some(owner) => {
                let mut command = Command::new("runuser");
                command.args(["-u", owner, "--"]).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir(self.folder.path());
        command
    }

    fn stop(&self) -> Command {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--mode", "immediate", "--silent", "--pgdata"]).arg(self.path("data"));
        stop
    }

    fn start_guard(&self) -> Result<Child> {
        let stop = self.stop();
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(std::process::id().to_string()).arg(self.folder.path());
        guard.arg(stop.get_program()).args(stop.get_args());
        guard.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        guard.spawn().context("the guard of the private PostgreSQL does not start")
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // What fails here the guard makes good once this process is gone.
        if run(&mut self.stop()).is_ok()
            && let Some(guard) = &mut self.guard
        {
            let _ = guard.kill();
            let _ = guard.wait();
        }
    }
}

/// PostgreSQL refuses to run as root: then it runs as an unprivileged user.
fn owner() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let known = run(Command::new("id").args(["-u", "postgres"])).is_ok();
    Some(if known { "postgres" } else { "nobody" })
}

/// Where `initdb` on the path really is, else Debian's newest version.
fn find_programs() -> Result<PathBuf> {
    let found = Command::new("sh").args(["-c", "readlink -f \"$(command -v initdb)\""]).output()?;
    let path = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if let Some(folder) = Path::new(&path).parent().filter(|_| path.ends_with("initdb")) {
        return Ok(folder.to_owned());
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions
        .pop()
        .map(|(_, bin)| bin)
        .context("PostgreSQL is not installed, and KOPRU_TEST_POSTGRES_URL is not set")
}

/// Runs a command to its end; its words are told when it fails.
fn run(command: &mut Command) -> Result<()> {
    // To a file and not to a pipe: the server inherits it, and a pipe would stay open as long as it runs.
    let words = tempfile::tempfile()?;
    let status = command.stdin(Stdio::null()).stdout(words.try_clone()?).stderr(words.try_clone()?).status();
    let name = command.get_program().to_string_lossy().into_owned();
    let status = status.with_context(|| format!("{name} cannot be run"))?;
    ensure!(status.success(), "{} failed: {}", line(command), read(words));
    Ok(())
}

fn line(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

fn read(mut file: fs::File) -> String {
    use std::io::{Read as _, Seek as _};

    let mut text = String::new();
    if file.rewind().is_ok() {
        let _ = file.read_to_string(&mut text);
    }
    text.trim().to_owned()
}
