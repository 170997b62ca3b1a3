//! The real server in a process of its own, and the plainest of clients.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::PostgresDatabase;

/// The first administrator's token.
pub(crate) const ROOT_TOKEN: &str = "glpat-test-administrator-1";

/// How long the server may take to answer anything.
const PATIENCE: Duration = Duration::from_mins(5);

/// Names a server that speaks S3, for tests, with `ENTREPOT_TEST_S3_BUCKET` and the usual `AWS_*` variables.
const S3_ENDPOINT: &str = "ENTREPOT_TEST_S3_ENDPOINT";

/// What a server keeps its rows and bytes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// With bytes in a folder.
    Sqlite,
    /// With bytes in a bucket when there is a server for tests that speaks S3, as replicas would.
    Postgres,
}

/// The databases to test with: SQLite, and PostgreSQL when there is a server for tests.
pub(crate) fn databases() -> Vec<Database> {
    let mut databases = vec![Database::Sqlite];
    if std::env::var_os("ENTREPOT_TEST_POSTGRES_URL").is_some() {
        databases.push(Database::Postgres);
    }
    databases
}

/// Whether there is a server for tests that speaks S3.
pub(crate) fn has_s3() -> bool {
    std::env::var_os(S3_ENDPOINT).is_some()
}

/// How a server is to be started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setup {
    /// With rows in PostgreSQL instead of SQLite.
    pub(crate) postgres: bool,
    /// With bytes in a bucket instead of a folder.
    pub(crate) s3: bool,
    /// Further variables.
    pub(crate) variables: &'static [(&'static str, &'static str)],
}

impl From<Database> for Setup {
    fn from(database: Database) -> Self {
        let postgres = database == Database::Postgres;
        Self { postgres, s3: postgres && has_s3(), variables: &[] }
    }
}

impl Setup {
    /// Whether its bytes are in a folder.
    pub(crate) const fn is_on_disk(self) -> bool {
        !self.s3
    }
}

/// Where a server keeps things: what outlives its process. Gone when dropped, but for what is in a bucket.
struct Place {
    data: TempDir,
    postgres: Option<Arc<PostgresDatabase>>,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    fn new(setup: Setup) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let postgres =
            setup.postgres.then(|| Arc::new(PostgresDatabase::create().expect("a server for tests")));
        let mut variables = vec![("ENTREPOT_ADMIN_TOKEN", ROOT_TOKEN.to_owned())];
        variables.extend(setup.variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if setup.s3 {
            let variable = |name| std::env::var(name).expect("named together");
            // The folder has a name of its own, and so has what is in the bucket.
            let prefix = data.path().file_name().and_then(|name| name.to_str()).expect("a name");
            let bucket = format!("s3://{}/servers/{prefix}", variable("ENTREPOT_TEST_S3_BUCKET"));
            variables.push(("ENTREPOT_STORAGE_URL", bucket));
            variables.push(("ENTREPOT_S3_ENDPOINT", variable(S3_ENDPOINT)));
        }
        Self { data, postgres, variables }
    }

    fn log(&self) -> PathBuf {
        self.data.path().join("log")
    }

    /// Starts a server and waits until it says where it listens.
    fn serve(&self) -> (Child, String) {
        let log = fs::File::options().create(true).append(true).open(self.log()).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_entrepot"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.data.path().join("data"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        if let Some(postgres) = &self.postgres {
            command.arg("--database-url").arg(postgres.url());
        }
        let mut child = command.spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        // What else it prints is thrown away, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let Some((_, authority)) = first.split_once("http://") else {
            let _ = child.kill();
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            panic!("the server says where it listens; it said '{first}'\n{log}");
        };
        (child, authority.trim().trim_end_matches('/').to_owned())
    }
}

/// A running server, with a folder of its own. Ends when dropped.
pub(crate) struct Server {
    child: Child,
    /// Host and port.
    pub(crate) authority: String,
    place: Arc<Place>,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(setup: impl Into<Setup>) -> Self {
        Self::at(Arc::new(Place::new(setup.into())))
    }

    /// Another server with the same database and storage.
    pub(crate) fn replica(&self) -> Self {
        Self::at(Arc::clone(&self.place))
    }

    fn at(place: Arc<Place>) -> Self {
        let (child, authority) = place.serve();
        let server = Self { child, authority, place };
        server.is_healthy();
        server
    }

    fn is_healthy(&self) {
        let health = self.request("GET", "/-/health", &[], b"");
        assert_eq!(health.status, 200, "healthy: {}", health.text());
    }

    /// Ends the process at once, whatever it is doing, as a loss of power would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Starts it again after [`Self::kill`], on another port.
    pub(crate) fn start_again(&mut self) {
        (self.child, self.authority) = self.place.serve();
        self.is_healthy();
    }

    /// The folder with its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.place.data.path().join("data")
    }

    /// Its database, where that is PostgreSQL.
    pub(crate) fn database(&self) -> Arc<PostgresDatabase> {
        self.place.postgres.clone().expect("a server on PostgreSQL")
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.place.log()).unwrap_or_default()
    }

    /// Opens a connection and sends the head of a request, which closes the connection after its answer.
    pub(crate) fn open(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        Self::open_at(&self.authority, method, path, headers)
    }

    fn open_at(authority: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(authority).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
        for (name, value) in headers {
            for piece in [name, ": ", value, "\r\n"] {
                head += piece;
            }
        }
        head += "\r\n";
        stream.write_all(head.as_bytes()).expect("the server reads");
        stream
    }

    /// One request with a short body.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        Self::ask(&self.authority, method, path, headers, body)
    }

    /// The same of another server.
    pub(crate) fn ask(
        authority: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        all.push(("Content-Length", &length));
        let mut stream = Self::open_at(authority, method, path, &all);
        stream.write_all(body).expect("the server reads");
        let mut response = Response::head(stream);
        response.body.clear();
        response.reader.read_to_end(&mut response.body).expect("an answer");
        response
    }

    /// Runs a document as the administrator; gives its data.
    pub(crate) fn graphql(&self, document: &str, variables: &Value) -> Value {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let headers = [("Content-Type", "application/json"), ("PRIVATE-TOKEN", ROOT_TOKEN)];
        let response = self.request("POST", "/api/graphql", &headers, body.as_bytes());
        let answer: Value = serde_json::from_slice(&response.body)
            .unwrap_or_else(|error| panic!("{document}: {} {error}: {}", response.status, response.text()));
        assert!(answer["errors"].is_null(), "{document}: {answer}");
        answer["data"].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer whose head was read.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// What comes after the head.
    pub(crate) reader: BufReader<TcpStream>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Reads the head of an answer.
    pub(crate) fn head(stream: TcpStream) -> Self {
        let mut reader = BufReader::with_capacity(256 * 1024, stream);
        let mut line = String::new();
        reader.read_line(&mut line).expect("a status line");
        let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: '{line}'"));
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim_start().to_owned()));
        }
        Self { status, headers, reader, body: Vec::new() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
