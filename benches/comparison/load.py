"""Load: wrk for throughput, a paced loop for latency at a given rate, streams of gigabytes for memory."""

import http.client
import json
import subprocess
import threading
import time
from pathlib import Path

from .host import Failed

HERE = Path(__file__).parent


class Load:
    """One round: what was answered, how fast, how late."""

    def __init__(self, figures, cpu_seconds=0.0):
        self.requests = figures["requests"]
        self.seconds = figures["microseconds"] / 1e6
        self.rate = self.requests / self.seconds
        self.bytes_per_second = figures["bytes"] / self.seconds
        self.p50 = figures.get("p50", 0) / 1e6
        self.p99 = figures.get("p99", 0) / 1e6
        self.failed = figures["failed"]
        self.failed5 = figures.get("failed5", 0)
        self.cpu = cpu_seconds / max(self.requests, 1)


def wrk(server, path, headers=None, seconds=4, connections=16, refused=False):
    """GETs `path` for some seconds. Statuses other than success fail the comparison, unless they are what is measured."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", HERE / "report.lua"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    before = server.cpu_seconds()
    figures = run_wrk([*command, f"http://127.0.0.1:{server.port}{path}"], seconds + 40)
    load = Load(figures, server.cpu_seconds() - before)
    if figures["broken"] or (load.failed and not refused) or not load.requests:
        raise Failed(f"{server.name} did not answer {path} in good order: {figures}")
    return load


def send(server, folder, skip, number, headers=None, connections=4, seconds=60):
    """Sends `number` prepared requests of `folder` after the first `skip`, each once."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", HERE / "send.lua"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    command += [f"http://127.0.0.1:{server.port}", "--", folder, skip, number]
    before = server.cpu_seconds()
    figures = run_wrk(command, seconds + 30)
    return Load(figures, server.cpu_seconds() - before)


def run_wrk(command, patience):
    """Runs wrk until its line of figures is here, and ends it."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    alarm = threading.Timer(patience, process.kill)
    alarm.start()
    output = []
    try:
        for line in process.stdout:
            if line.startswith("RESULT "):
                return json.loads(line.removeprefix("RESULT "))
            output.append(line)
    finally:
        alarm.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
    raise Failed("wrk gave no figures:\n" + "".join(output))


def timed(server, method, path, headers, number, status=200, before_each=None):
    """`number` requests one after the other on one connection; the seconds each took, sorted."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    taken = []
    for _ in range(number):
        if before_each:
            before_each()
        begun = time.perf_counter()
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        response.read()
        taken.append(time.perf_counter() - begun)
        if response.status != status:
            raise Failed(f"{server.name} answered {path} with {response.status}, not {status}")
    connection.close()
    return sorted(taken)


def paced(server, paths, headers, rate, seconds, status, workers=10):
    """`rate` requests a second for some seconds, late ones counted from when they were due; the seconds each took, sorted."""
    start = time.perf_counter() + 0.2
    total = rate * seconds
    taken, problems = [], []

    def work(first):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for number in range(first, total, workers):
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("GET", paths[number % len(paths)], headers=headers)
            response = connection.getresponse()
            response.read()
            taken.append(time.perf_counter() - due)
            if response.status != status:
                problems.append(response.status)
        connection.close()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems or len(taken) != total:
        raise Failed(f"{server.name} answered {problems[:5]}, not {status}, or not at all ({len(taken)} of {total})")
    return sorted(taken)


def percentile(sorted_values, percent):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * percent / 100))]


def upload(server, path, headers, size, piece):
    """PUTs `size` bytes made of repetitions of `piece`; the seconds it took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    begun = time.perf_counter()
    connection.putrequest("PUT", path)
    for name, value in {**headers, "Content-Length": str(size)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    left = size
    while left:
        part = piece if left >= len(piece) else piece[:left]
        connection.sock.sendall(part)
        left -= len(part)
    response = connection.getresponse()
    text = response.read()
    if response.status not in (200, 201):
        raise Failed(f"{server.name} refused an upload with {response.status}: {text[:300]}")
    connection.close()
    return time.perf_counter() - begun


def download(server, path, headers, size):
    """GETs `size` bytes and throws them away; the seconds it took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    begun = time.perf_counter()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    buffer = memoryview(bytearray(1 << 20))
    received = 0
    while count := response.readinto(buffer):
        received += count
    if response.status != 200 or received != size:
        raise Failed(f"{server.name} answered {response.status} and {received} of {size} bytes")
    connection.close()
    return time.perf_counter() - begun
