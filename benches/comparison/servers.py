"""The servers that are compared, each started with its log off and empty unless it says otherwise."""

import base64
import json
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

from .artefacts import SourceArchive
from .host import Failed, Process, free_port, request


class Entrepot(Process):
    """This server: SQLite, local disk, one private project, and a token of a developer of the group above it."""

    def __init__(self, scratch, binary):
        port = free_port()
        self.data = scratch.folder("entrepot")
        environment = {"ENTREPOT_ADMIN_TOKEN": "bench-administrator-token", "ENTREPOT_LOG": "warn"}
        command = [binary, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", self.data]
        super().__init__(scratch, "entrepot", command, port, environment)
        self.set_up()

    def set_up(self):
        administrator = {"PRIVATE-TOKEN": "bench-administrator-token"}
        self.ask(administrator, 'createGroup(input: {name: "Bench", path: "bench"}) { errors }')
        project = self.ask(
            administrator, 'createProject(input: {namespacePath: "bench", path: "packages"}) { errors project { id } }'
        )
        self.project = project["project"]["id"].rsplit("/", 1)[1]
        user = self.ask(administrator, 'createUser(input: {name: "Developer", username: "developer"}) { errors user { id } }')
        self.ask(
            administrator,
            'addMember(input: {groupPath: "bench", username: "developer", accessLevel: DEVELOPER}) { errors }',
        )
        identity = user["user"]["id"]
        token = self.ask(
            administrator,
            f'createPersonalAccessToken(input: {{name: "bench", scopes: ["api"], userId: "{identity}"}}) {{ errors token }}',
        )
        self.headers = {"Authorization": f"Bearer {token['token']}"}

    def ask(self, headers, mutation):
        body = json.dumps({"query": f"mutation {{ it: {mutation} }}"})
        headers = {**headers, "Content-Type": "application/json"}
        _, _, answer = request(self.port, "POST", "/api/graphql", body, headers)
        answer = json.loads(answer)
        if answer.get("errors") or answer["data"]["it"]["errors"]:
            raise Failed(f"{mutation}: {answer}")
        return answer["data"]["it"]

    @property
    def registry(self):
        return f"/api/v4/projects/{self.project}/packages"

    def statements(self):
        """How many SQL statements it has run."""
        _, _, text = request(self.port, "GET", "/-/metrics")
        for line in text.decode().splitlines():
            if line.startswith("entrepot_sql_statements_total"):
                return int(float(line.split()[1]))
        raise Failed("the metrics do not say how many statements ran")


def with_workers(server):
    """Processor time of a server whose workers do what it is asked for."""
    total = Process.cpu_seconds(server)
    for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
        worker = object.__new__(Process)
        worker.child = type("Child", (), {"pid": int(child)})
        total += Process.cpu_seconds(worker)
    return total


class Nginx(Process):
    """nginx, serving a folder as fast as it can: sendfile, open files cached, no log."""

    def __init__(self, scratch):
        port = free_port()
        self.root = scratch.folder("nginx/root")
        self.headers = {}
        configuration = scratch.path / "nginx/nginx.conf"
        temporary = "".join(
            f"{kind}_temp_path {scratch.path}/nginx/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration.write_text(
            f"""
            daemon off;
            worker_processes auto;
            pid {scratch.path}/nginx/pid;
            error_log stderr warn;
            events {{ worker_connections 1024; }}
            http {{
                access_log off;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 100000000;
                open_file_cache max=10000 inactive=60s;
                default_type application/octet-stream;
                {temporary}
                server {{ listen 127.0.0.1:{port} reuseport; root {self.root}; }}
            }}
            """
        )
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        super().__init__(scratch, "nginx", [nginx, "-p", scratch.path / "nginx", "-c", configuration], port)

    def put(self, name, content):
        (self.root / name).write_bytes(content)

    def cpu_seconds(self):
        return with_workers(self)


class Verdaccio(Process):
    """verdaccio with its own storage. Whoever asks may read and publish: it checks nobody's access."""

    def __init__(self, scratch, peers, packages=()):
        port = free_port()
        folder = scratch.folder("verdaccio")
        self.headers = {}
        for versions in packages:
            self.store(folder / "storage", versions)
        configuration = folder / "config.yaml"
        configuration.write_text(
            f"storage: {folder}/storage\n"
            f"auth:\n  htpasswd:\n    file: {folder}/htpasswd\n"
            "uplinks: {}\n"
            "packages:\n  '**':\n    access: $all\n    publish: $all\n    unpublish: $all\n"
            "max_body_size: 200mb\n"
            "log: { type: stdout, format: pretty, level: error }\n"
        )
        binaries = peers / "verdaccio/node_modules"
        command = [binaries / "node/bin/node", binaries / "verdaccio/bin/verdaccio"]
        command += ["--config", configuration, "--listen", f"127.0.0.1:{port}"]
        super().__init__(scratch, "verdaccio", command, port, {"NODE_ENV": "production"})

    @staticmethod
    def store(storage, versions):
        """Writes a package as verdaccio keeps it, since publishing thousands of versions to it takes minutes."""
        name = versions[0].name
        folder = storage / name
        folder.mkdir(parents=True)
        for version in versions:
            (folder / version.file_name).write_bytes(version.tarball)
        time = {version.version: "2026-01-01T00:00:00.000Z" for version in versions}
        document = {
            "name": name,
            "versions": {version.version: version.entry("http://localhost") for version in versions},
            "time": {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", **time},
            "users": {},
            "dist-tags": {"latest": versions[-1].version},
            "_uplinks": {},
            "_distfiles": {},
            "_attachments": {
                version.file_name: {"shasum": version.dist("")["shasum"], "version": version.version}
                for version in versions
            },
            "_rev": "1-0000000000000000",
            "_id": name,
            "readme": "",
        }
        (folder / "package.json").write_text(json.dumps(document))


class Pypiserver(Process):
    """pypiserver behind gunicorn: two workers with eight threads, as its documentation has it for two cores."""

    def __init__(self, scratch, peers, archives):
        port = free_port()
        folder = scratch.folder("pypiserver")
        self.headers = {}
        for archive in archives:
            (folder / archive.file_name).write_bytes(archive.content)
        application = f"pypiserver:app(roots=['{folder}'], authenticate=[], password_file='.', disable_fallback=True)"
        command = [peers / "pypiserver/bin/gunicorn", "--workers", "2", "--threads", "8"]
        command += ["--bind", f"127.0.0.1:{port}", "--log-level", "error", "--keep-alive", "60", application]
        super().__init__(scratch, "pypiserver", command, port)

    def cpu_seconds(self):
        return with_workers(self)


class Devpi(Process):
    """devpi-server with one index. Uploading to it takes a minute, so its folder is kept beside its programs."""

    USER = "root"
    INDEX = f"{USER}/bench"

    def __init__(self, scratch, peers, archives):
        port = free_port()
        self.headers = {}
        kept = peers / f"devpi-{archives[0].name}-{len(archives)}"
        folder = scratch.folder("devpi") / "server"
        if (kept / "done").exists():
            shutil.copytree(kept, folder)
        else:
            self.initialize(peers, folder)
        command = [peers / "devpi/bin/devpi-server", "--serverdir", folder]
        command += ["--host", "127.0.0.1", "--port", port, "--threads", "16"]
        super().__init__(scratch, "devpi", command, port)
        if not (kept / "done").exists():
            self.fill(archives)
            (folder / "done").touch()
            self.keep(folder, kept)

    @staticmethod
    def initialize(peers, folder):
        command = [peers / "devpi/bin/devpi-init", "--serverdir", folder, "--no-root-pypi", "--root-passwd", ""]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise Failed(f"devpi-init failed: {done.stdout}{done.stderr}")

    def fill(self, archives):
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        _, _, login = request(self.port, "POST", "/+login", json.dumps({"user": self.USER, "password": ""}), headers)
        ticket = json.loads(login)["result"]["password"]
        credential = base64.b64encode(f"{self.USER}:{ticket}".encode()).decode()
        headers["X-Devpi-Auth"] = credential
        status, _, text = request(
            self.port, "PUT", f"/{self.INDEX}", json.dumps({"type": "stage", "bases": [], "volatile": True}), headers
        )
        if status != 200:
            raise Failed(f"devpi made no index: {text}")
        headers = {"X-Devpi-Auth": credential, "Content-Type": SourceArchive.FORM_TYPE}
        publish_all(self.port, headers, [("POST", f"/{self.INDEX}/", archive.form()) for archive in archives], threads=1)

    @staticmethod
    def keep(folder, kept):
        temporary = kept.with_suffix(".part")
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(folder, temporary)
        temporary.rename(kept)


def publish_all(port, headers, requests, threads=4):
    """Sends requests (method, path, body) that must all succeed, on a few connections."""

    def work(part):
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for method, path, body in part:
            status, _, text = request(port, method, path, body, headers, connection)
            if status not in (200, 201):
                raise Failed(f"{method} {path} was answered with {status}: {text[:300]}")
        connection.close()

    with ThreadPoolExecutor(threads) as pool:
        for outcome in pool.map(work, [requests[first::threads] for first in range(threads)]):
            assert outcome is None


__all__ = ["Devpi", "Entrepot", "Nginx", "Pypiserver", "Verdaccio", "publish_all"]
