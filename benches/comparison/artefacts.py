"""Packages to publish: made in memory, the same bytes every time but for noise that does not compress."""

import base64
import gzip
import hashlib
import io
import json
import random
import tarfile

NOISE = random.Random(20261125)

LICENCE = "MIT"
DEPENDENCIES = {f"@bench/dependency-{number}": f"^{number}.0.0" for number in range(1, 7)}


def manifest(name, version):
    """A `package.json` of the usual size."""
    return {
        "name": name,
        "version": version,
        "description": "A package of the usual size, made to compare registries with",
        "license": LICENCE,
        "main": "index.js",
        "types": "index.d.ts",
        "author": {"name": "Somebody", "email": "somebody@example.com"},
        "keywords": ["bench", "registry", "comparison"],
        "repository": {"type": "git", "url": "git+ssh://git@example.com/bench/package.git"},
        "engines": {"node": ">=18"},
        "scripts": {"test": "node --test", "build": "tsc -p tsconfig.json"},
        "dependencies": DEPENDENCIES,
    }


def tar_gz(files, level=1):
    """A compressed archive of `files`, path to content. Its content decides its bytes, nothing else does."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), compresslevel=level, mtime=0)


class NpmVersion:
    """A version of an npm package, with a tarball of about `size` bytes."""

    def __init__(self, name, version, size=400):
        self.name, self.version = name, version
        self.manifest = manifest(name, version)
        text = json.dumps(self.manifest).encode()
        self.tarball = tar_gz({"package/package.json": text, "package/index.js": NOISE.randbytes(max(size - 700, 8))})
        self.file_name = f"{name.split('/')[-1]}-{version}.tgz"

    def dist(self, base):
        sha512 = base64.b64encode(hashlib.sha512(self.tarball).digest()).decode()
        return {
            "tarball": f"{base}/{self.name}/-/{self.file_name}",
            "shasum": hashlib.sha1(self.tarball).hexdigest(),
            "integrity": f"sha512-{sha512}",
        }

    def entry(self, base):
        """The version as a packument lists it."""
        return {**self.manifest, "_id": f"{self.name}@{self.version}", "dist": self.dist(base)}

    def document(self, base="http://localhost"):
        """What a client sends to publish it."""
        attachment = {
            "content_type": "application/octet-stream",
            "data": base64.b64encode(self.tarball).decode(),
            "length": len(self.tarball),
        }
        return {
            "_id": self.name,
            "name": self.name,
            "dist-tags": {"latest": self.version},
            "versions": {self.version: self.entry(base)},
            "access": None,
            "_attachments": {f"{self.name}-{self.version}.tgz": attachment},
        }


class SourceArchive:
    """A source archive of a Python package."""

    def __init__(self, name, version):
        self.name, self.version = name, version
        self.metadata = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            "Summary: A package made to compare registries with\nRequires-Python: >=3.8\n"
        )
        stem = f"{name}-{version}"
        self.file_name = f"{stem}.tar.gz"
        self.content = tar_gz({f"{stem}/PKG-INFO": self.metadata.encode(), f"{stem}/module.py": NOISE.randbytes(64)})

    def form(self, boundary="bench-boundary"):
        """The form that `twine` uploads it with."""
        fields = {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.1",
            "name": self.name,
            "version": self.version,
            "filetype": "sdist",
            "pyversion": "source",
            "requires_python": ">=3.8",
            "summary": "A package made to compare registries with",
            "sha256_digest": hashlib.sha256(self.content).hexdigest(),
        }
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{self.file_name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        return b"".join([*parts, head.encode(), self.content, f"\r\n--{boundary}--\r\n".encode()])

    FORM_TYPE = "multipart/form-data; boundary=bench-boundary"


def prepare(folder, requests):
    """Writes requests (method, path, content type, body) as send.lua reads them; their number."""
    number = 0
    with (folder / "bodies").open("wb") as bodies, (folder / "index").open("w") as index:
        for method, path, kind, body in requests:
            bodies.write(body)
            index.write(f"{method}\t{path}\t{len(body)}\t{kind}\n")
            number += 1
    return number


def npm_publishes(versions, prefix=""):
    """Requests that publish these versions."""
    for version in versions:
        path = f"{prefix}/{version.name.replace('/', '%2f')}"
        yield "PUT", path, "application/json", json.dumps(version.document()).encode()
