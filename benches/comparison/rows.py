"""One function for each row of the comparison. Each takes the run and gives lines of the table."""

import json
from statistics import median

from .artefacts import NpmVersion, SourceArchive, npm_publishes, prepare
from .host import Failed, request
from .load import download, paced, percentile, send, timed, upload, wrk
from .servers import Devpi, Entrepot, Nginx, Pypiserver, Verdaccio, publish_all
from .table import Figure, compare, interleaved, megabytes, milliseconds, rate

PACKUMENT = {"Accept": "application/json"}
MIB = 1 << 20


def npm_versions(name, number, size=400):
    return [NpmVersion(name, f"1.{at}.0", size) for at in range(number)]


def publish_npm(server, versions):
    """Publishes versions of one package to this server."""
    headers = {**server.headers, "Content-Type": "application/json"}
    requests = [(method, path, body) for method, path, _, body in npm_publishes(versions, f"{server.registry}/npm")]
    publish_all(server.port, headers, requests)


def packument(run):
    versions = npm_versions("@bench/thousand", 1000)
    ours = run.entrepot()
    publish_npm(ours, versions)
    path = f"{ours.registry}/npm/@bench%2fthousand"
    headers = {**ours.headers, **PACKUMENT}
    _, answered, document = request(ours.port, "GET", path, headers=headers)
    if len(json.loads(document)["versions"]) != 1000:
        raise Failed("the packument does not have its thousand versions")
    nginx = Nginx(run.scratch)
    nginx.put("packument.json", document)
    verdaccio = Verdaccio(run.scratch, run.peers, [versions])
    loads = interleaved(
        run.rounds,
        ours=lambda: wrk(ours, path, headers, run.seconds),
        nginx=lambda: wrk(nginx, "/packument.json", PACKUMENT, run.seconds),
        verdaccio=lambda: wrk(verdaccio, "/@bench%2fthousand", PACKUMENT, run.seconds),
        unchanged=lambda: wrk(ours, path, {**headers, "If-None-Match": answered["etag"]}, run.seconds),
    )
    name = f"npm packument, 1,000 versions ({len(document) / 1e3:,.0f} kB), warm"
    known = loads["unchanged"][run.rounds // 2]
    return [
        compare(name, "50 × verdaccio", 50, loads["ours"], loads["verdaccio"], "verdaccio"),
        compare(name, "0.4 × nginx", 0.4, loads["ours"], loads["nginx"], "nginx, the same bytes"),
        Figure("the same, unchanged (304)", "—", f"{rate(known.rate)}, {known.cpu * 1e6:,.0f} µs of processor"),
    ]


def cold(run):
    ours = run.entrepot()
    publish_npm(ours, npm_versions("@bench/five", 5000))
    path = f"{ours.registry}/npm/@bench%2ffive"
    tag = f"{ours.registry}/npm/-/package/@bench%2ffive/dist-tags/next"
    numbers = iter(range(10_000))

    def change():
        body = json.dumps(f"1.{next(numbers)}.0")
        headers = {**ours.headers, "Content-Type": "application/json"}
        status, _, text = request(ours.port, "PUT", tag, body, headers)
        if status not in (200, 204):
            raise Failed(f"a tag was not set: {status} {text}")

    change()
    before = ours.status("VmRSS")
    ours.forget_peak()
    # The first is with nothing warm but the code; the rest follow a change each, with the last one's document still kept.
    first = timed(ours, "GET", path, {**ours.headers, **PACKUMENT}, 1)
    once = ours.status("VmHWM") - before
    taken = timed(ours, "GET", path, {**ours.headers, **PACKUMENT}, 100, before_each=change)
    more = ours.status("VmHWM") - before
    size = len(request(ours.port, "GET", path, headers={**ours.headers, **PACKUMENT})[2])
    name = f"npm packument, 5,000 versions ({size / 1e6:.1f} MB), cold"
    p99 = percentile(taken, 99)
    return [
        Figure(
            name,
            "p99 < 150 ms",
            f"first {milliseconds(first[0])}, then p50 {milliseconds(median(taken))}, p99 {milliseconds(p99)}",
            holds=p99 < 0.150,
        ),
        Figure(
            "the same, memory",
            "< 64 MiB more",
            f"one {once / MIB:.0f} MiB, a hundred {more / MIB:.0f} MiB",
            holds=more < 64 * MIB,
        ),
    ]


def simple(run):
    archives = [SourceArchive("bench_thousand", f"1.{at}.0") for at in range(1000)]
    ours = run.entrepot()
    headers = {**ours.headers, "Content-Type": SourceArchive.FORM_TYPE}
    publish_all(ours.port, headers, [("POST", f"{ours.registry}/pypi", archive.form()) for archive in archives])
    path = f"{ours.registry}/pypi/simple/bench-thousand/"
    html = {"Accept": "text/html"}
    _, _, document = request(ours.port, "GET", path, headers={**ours.headers, **html})
    if document.count(b"<a ") != 1000:
        raise Failed(f"the index does not have its thousand files but {document.count(b'<a ')}")
    pypiserver = Pypiserver(run.scratch, run.peers, archives)
    devpi = Devpi(run.scratch, run.peers, archives)
    places = {pypiserver: "/simple/bench-thousand/", devpi: f"/{devpi.INDEX}/+simple/bench-thousand/"}
    for peer, place in places.items():
        _, _, answer = request(peer.port, "GET", place, headers=html)
        if answer.count(b"<a ") < 1000:
            raise Failed(f"{peer.name} does not list its thousand files: {answer[:500]}")
    loads = interleaved(
        run.rounds,
        ours=lambda: wrk(ours, path, {**ours.headers, **html}, run.seconds),
        pypiserver=lambda: wrk(pypiserver, places[pypiserver], html, run.seconds),
        devpi=lambda: wrk(devpi, places[devpi], html, run.seconds),
    )
    name = f"PyPI simple index, 1,000 files ({len(document) / 1e3:,.0f} kB)"
    return [
        compare(name, "50 × pypiserver", 50, loads["ours"], loads["pypiserver"], "pypiserver"),
        compare(name, "50 × devpi", 50, loads["ours"], loads["devpi"], "devpi"),
    ]


def tarball(run):
    versions = npm_versions("@bench/tarball", 20, 10 << 10)
    ours = run.entrepot()
    publish_npm(ours, versions)
    verdaccio = Verdaccio(run.scratch, run.peers, [versions])
    nginx = Nginx(run.scratch)
    nginx.put("tarball.tgz", versions[-1].tarball)
    file = f"@bench/tarball/-/{versions[-1].file_name}"
    loads = interleaved(
        run.rounds,
        ours=lambda: wrk(ours, f"{ours.registry}/npm/{file}", ours.headers, run.seconds),
        verdaccio=lambda: wrk(verdaccio, f"/{file}", {}, run.seconds),
        nginx=lambda: wrk(nginx, "/tarball.tgz", {}, run.seconds),
    )
    name = "npm tarball, 10 KiB, with the access check"
    return [
        compare(name, "5 × verdaccio", 5, loads["ours"], loads["verdaccio"], "verdaccio, without one"),
        compare(name, "—", 0, loads["ours"], loads["nginx"], "nginx, without one"),
    ]


def files(run):
    ours, nginx = run.entrepot(), Nginx(run.scratch)
    lines = []
    for size, connections in ((1, 16), (100, 4)):
        content = run.noise(size * MIB)
        path = f"{ours.registry}/generic/bench/1.0.{size}/file.bin"
        upload(ours, path, ours.headers, len(content), content)
        nginx.put(f"{size}.bin", content)
        loads = interleaved(
            run.rounds,
            ours=lambda: wrk(ours, path, ours.headers, run.seconds, connections),
            nginx=lambda: wrk(nginx, f"/{size}.bin", {}, run.seconds, connections),
        )
        name = f"download of {size} MiB, {connections} connections"
        by = "bytes_per_second"
        lines.append(compare(name, "0.8 × nginx", 0.8, loads["ours"], loads["nginx"], "nginx", by, megabytes))
    return lines


def publish(run):
    number = 2000
    ours, verdaccio = run.entrepot(), Verdaccio(run.scratch, run.peers)
    versions = (NpmVersion(f"@bench/publish-{at}", "1.0.0", 10 << 10) for at in range(number * run.rounds))
    of_ours, of_verdaccio = run.scratch.folder("publishes"), run.scratch.folder("publishes-verdaccio")
    versions = list(versions)
    prepare(of_ours, npm_publishes(versions, f"{ours.registry}/npm"))
    prepare(of_verdaccio, npm_publishes(versions[: 600 * run.rounds]))
    rounds = {"ours": iter(range(run.rounds)), "verdaccio": iter(range(run.rounds))}
    loads = interleaved(
        run.rounds,
        ours=lambda: send(ours, of_ours, next(rounds["ours"]) * number, number, ours.headers),
        verdaccio=lambda: send(verdaccio, of_verdaccio, next(rounds["verdaccio"]) * 600, 600),
    )
    if any(load.failed for load in loads["ours"]):
        raise Failed(f"publishes failed: {[load.failed for load in loads['ours']]}")
    refused = sum(load.failed for load in loads["verdaccio"])
    peer = "verdaccio, not durable" + (f", {refused} refused" if refused else "")
    return [compare("publish of 10 KiB, durable, 4 clients", "3 × verdaccio", 3, loads["ours"], loads["verdaccio"], peer)]


def publishers(run):
    number = 3000
    ours = run.entrepot()
    folder = run.scratch.folder("publishers")
    prepare(folder, npm_publishes(npm_versions("@bench/crowded", number, 10 << 10), f"{ours.registry}/npm"))
    load = send(ours, folder, 0, number, ours.headers, connections=200, seconds=120)
    path = f"{ours.registry}/npm/@bench%2fcrowded"
    status, _, document = request(ours.port, "GET", path, headers={**ours.headers, **PACKUMENT})
    there = len(json.loads(document)["versions"]) if status == 200 else 0
    return [
        Figure(
            "200 concurrent publishers of one package",
            "no 5xx",
            f"{rate(load.rate)}, {load.failed5} × 5xx, {load.failed - load.failed5} × 4xx, {there} of {number} versions there",
            holds=load.failed == 0 and there == number,
        )
    ]


def gigabytes(run):
    size = int(run.gigabytes * (1 << 30))
    ours = run.entrepot()
    piece = run.noise(MIB)
    path = f"{ours.registry}/generic/bench/1.0.0/large.bin"
    lines = []
    upload(ours, f"{ours.registry}/generic/bench/0.0.1/small.bin", ours.headers, 24 * MIB, piece)
    download(ours, f"{ours.registry}/generic/bench/0.0.1/small.bin", ours.headers, 24 * MIB)
    for what, transfer in (
        ("upload", lambda: upload(ours, path, ours.headers, size, piece)),
        ("download", lambda: download(ours, path, ours.headers, size)),
    ):
        before = ours.status("VmRSS")
        ours.forget_peak()
        seconds = transfer()
        more = ours.status("VmHWM") - before
        name = f"one {what} of {size / (1 << 30):g} GiB"
        seen = f"{more / MIB:.1f} MiB more, {megabytes(size / seconds)}"
        lines.append(Figure(name, "< 32 MiB more memory", seen, holds=more < 32 * MIB))
    return lines


def listing(run):
    ours = run.entrepot()
    folder = run.scratch.folder("listing")
    number = 50_000
    requests = (
        ("PUT", f"{ours.registry}/generic/package-{at}/1.0.0/file.txt", "application/octet-stream", b"%d" % (at % 100))
        for at in range(number)
    )
    prepare(folder, requests)
    send(ours, folder, 0, 500, ours.headers, connections=32)
    path = f"{ours.registry}?per_page=100"
    statements = []
    for first, count in ((500, number - 500), (0, 0)):
        timed(ours, "GET", path, ours.headers, 2)
        before = ours.statements()
        taken = timed(ours, "GET", path, ours.headers, 20)
        statements.append((ours.statements() - before) / 20)
        if count:
            load = send(ours, folder, first, count, ours.headers, connections=32, seconds=240)
            if load.failed:
                raise Failed(f"{load.failed} publishes failed")
    p99 = percentile(taken, 99)
    constant = statements[0] == statements[1]
    return [
        Figure(
            "list of 50,000 packages, first page of 100 (REST)",
            "< 100 ms, constant number of statements",
            f"p50 {milliseconds(median(taken))}, slowest of 20 {milliseconds(p99)}; statements of a page: "
            f"{statements[0]:g} at 500 packages, {statements[1]:g} at 50,000",
            holds=p99 < 0.1 and constant,
        ),
        Figure("generic publishes meanwhile, 32 clients", "—", rate(load.rate)),
    ]


def missing(run):
    ours = run.entrepot()
    publish_npm(ours, npm_versions("@bench/one", 1))
    places = [f"{ours.registry}/npm/@bench%2fmissing-{at}" for at in range(100)]
    places += [f"{ours.registry}/generic/missing/{at}.0.0/file.txt" for at in range(100)]
    taken = paced(ours, places, ours.headers, 500, run.seconds * 2, 404)
    p99 = percentile(taken, 99)
    seen = f"p50 {milliseconds(median(taken))}, p99 {milliseconds(p99)}"
    return [Figure("404s, 500 a second", "p99 < 50 ms", seen, holds=p99 < 0.05)]


def metadata(run):
    ours = run.entrepot()
    publish_npm(ours, npm_versions("@bench/one", 1))
    path = f"{ours.registry}/npm/-/package/@bench%2fone/dist-tags"
    before = ours.statements()
    timed(ours, "GET", path, ours.headers, 10)
    statements = (ours.statements() - before) / 10
    loads = interleaved(
        run.rounds,
        ours=lambda: wrk(ours, path, ours.headers, run.seconds),
        static=lambda: wrk(ours, "/", {}, run.seconds),
        packument=lambda: wrk(ours, f"{ours.registry}/npm/@bench%2fone", ours.headers, run.seconds),
    )
    name = f"small metadata route (npm dist-tags, {statements:g} statements), SQLite"
    p99 = max(load.p99 for load in loads["ours"])
    one = loads["packument"][run.rounds // 2]
    return [
        compare(name, "0.25 × static route", 0.25, loads["ours"], loads["static"], "`/` of the same binary"),
        Figure("the same, latency at 16 connections", "p99 < 10 ms", f"p99 {milliseconds(p99)}", holds=p99 < 0.01),
        Figure("npm packument, 1 version, warm", "—", f"{rate(one.rate)}, {one.cpu * 1e6:,.0f} µs of processor"),
    ]


ROWS = {
    row.__name__: row
    for row in (metadata, packument, cold, simple, tarball, files, publish, publishers, missing, listing, gigabytes)
}

__all__ = ["ROWS", "Entrepot"]
