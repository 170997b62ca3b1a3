"""A build backend (PEP 517) that needs nothing: it makes a wheel of the packages in the folder and of PKG-INFO."""

import base64
import hashlib
import os
import zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open("PKG-INFO", encoding="utf-8") as file:
        metadata = file.read()
    fields = dict(line.split(": ", 1) for line in metadata.split("\n\n")[0].splitlines())
    stem = "{}-{}".format(fields["Name"].lower().replace("-", "_"), fields["Version"])
    folder = stem + ".dist-info"
    files = {
        folder + "/METADATA": metadata.encode(),
        folder + "/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    for entry in os.scandir("."):
        if entry.is_dir() and os.path.exists(os.path.join(entry.name, "__init__.py")):
            with open(os.path.join(entry.name, "__init__.py"), "rb") as file:
                files[entry.name + "/__init__.py"] = file.read()
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += "{},sha256={},{}\n".format(path, digest, len(content))
    files[folder + "/RECORD"] = (record + folder + "/RECORD,,\n").encode()
    name = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return name
