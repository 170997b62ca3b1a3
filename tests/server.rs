//! The real server in a process of its own, and the plainest of clients.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::PostgresDatabase;

/// The first administrator's token.
pub(crate) const ROOT_TOKEN: &str = "glpat-test-administrator-1";

/// How long the server may take to answer anything.
const PATIENCE: Duration = Duration::from_mins(5);

/// What a server keeps its rows in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
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

/// A running server, with a folder of its own. Ends when dropped.
pub(crate) struct Server {
    child: Child,
    /// Host and port.
    pub(crate) authority: String,
    pub(crate) data: TempDir,
    _database: Option<PostgresDatabase>,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(database: Database) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(PostgresDatabase::create().expect("a server for tests")),
        };
        let log = fs::File::create(data.path().join("log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_entrepot"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path().join("data"))
            .env("ENTREPOT_ADMIN_TOKEN", ROOT_TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        if let Some(postgres) = &postgres {
            command.arg("--database-url").arg(postgres.url());
        }
        let mut child = command.spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        // What else it prints is thrown away, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let Some((_, authority)) = first.split_once("http://") else {
            let _ = child.kill();
            let log = fs::read_to_string(data.path().join("log")).unwrap_or_default();
            panic!("the server says where it listens; it said '{first}'\n{log}");
        };
        let authority = authority.trim().trim_end_matches('/').to_owned();
        let server = Self { child, authority, data, _database: postgres };
        let health = server.request("GET", "/-/health", &[], b"");
        assert_eq!(health.status, 200, "healthy: {}", health.text());
        server
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }

    /// Opens a connection and sends the head of a request, which closes the connection after its answer.
    pub(crate) fn open(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.authority).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.authority);
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
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        all.push(("Content-Length", &length));
        let mut stream = self.open(method, path, &all);
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
