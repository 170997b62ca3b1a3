"""Processes of the comparison, each ended by its own id, and the machine they run on."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class Failed(Exception):
    """A comparison that cannot go on; the text says why."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Scratch:
    """A folder for everything a run writes, and the processes it started. Both are gone when it ends."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="entrepot-bench-"))
        self.path.chmod(0o755)  # nginx's workers are somebody else
        self.processes = []

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.end()
        shutil.rmtree(self.path, ignore_errors=True)

    def folder(self, name):
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class Process:
    """A server in the background, with its output in a file. In a session of its own: Ctrl-C is ours to handle."""

    def __init__(self, scratch, name, command, port, environment=None, patience=60):
        self.name, self.port = name, port
        self.log = scratch.path / f"{name}.log"
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        scratch.processes.append(self)
        self.wait_for_port(patience)

    @property
    def pid(self):
        return self.child.pid

    def wait_for_port(self, patience):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Failed(f"{self.name} does not answer on port {self.port}:\n{self.log.read_text(errors='replace')[-3000:]}")

    def end(self):
        """SIGTERM to the process and, by its session, to workers it has; SIGKILL when that is not enough."""
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            if self.child.poll() is None:
                try:
                    os.killpg(self.child.pid, number)
                    self.child.wait(patience)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue

    def status(self, field):
        """A figure of /proc/<pid>/status, in bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise Failed(f"/proc does not say {field} of {self.name}")

    def forget_peak(self):
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def cpu_seconds(self):
        """Processor time of the process, user and system, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request(port, method, path, body=None, headers=None, connection=None, timeout=120):
    """One request; status, headers and body. With a connection, on that one."""
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        own.request(method, path, body=body, headers=headers or {})
        response = own.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        if connection is None:
            own.close()


def machine():
    """The machine in one line, and its load at this moment."""
    model = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "unknown processor",
    )
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    gibibytes = int(memory.split()[1]) / 1024 / 1024
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    system = os.uname()
    return f"{os.cpu_count()} × {model}, {gibibytes:.0f} GiB, Linux {system.release}; load average {load}"
