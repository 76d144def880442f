"""Which folders are copied elsewhere by themselves, or lie on another machine.

A service is known by the name of one of the folders around, or by what its program leaves in the
folder that it synchronises. Both are looked for on the way as it is written and as it really is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# How the name of a folder begins, in small letters without blanks.
_BEGINNINGS = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "icloud": "iCloud Drive",
    "com~apple~": "iCloud Drive",
    "mobiledocuments": "iCloud Drive",
    "googledrive": "Google Drive",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "synologydrive": "Synology Drive",
    "cloudstation": "Synology Drive",
    "syncthing": "Syncthing",
    "pcloud": "pCloud",
    "boxsync": "Box",
    "box-box": "Box",
    "seafile": "Seafile",
    "seadrive": "Seafile",
    "resiliosync": "Resilio Sync",
    "btsync": "Resilio Sync",
    "megasync": "MEGA",
}
# Names that mean a service only as they stand.
_NAMES = {
    "Box": "Box",
    "MEGA": "MEGA",
    "My Drive": "Google Drive",
    "CloudStorage": "a cloud service",  # of macOS
}
# What lies in the folder that is synchronised.
_LEFT = {
    ".dropbox": "Dropbox",
    ".dropbox.cache": "Dropbox",
    ".849C9593-D756-4E56-8D6E-42412F2A707B": "OneDrive",
    ".tmp.drivedownload": "Google Drive",
    ".tmp.driveupload": "Google Drive",
    ".nextcloudsync.log": "Nextcloud",
    ".owncloudsync.log": "ownCloud",
    ".SynologyWorkingDirectory": "Synology Drive",
    ".stfolder": "Syncthing",
    ".stignore": "Syncthing",
    ".seafile-data": "Seafile",
    "seafile-ignore.txt": "Seafile",
    ".sync/ID": "Resilio Sync",
    ".megaignore": "MEGA",
}
_DATABASE = re.compile(r"\._?sync_[0-9a-f]+\.db|\.csync_journal\.db")  # of Nextcloud and ownCloud
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "fuse.sshfs", "fuse.davfs"}
_CLOUD_MOUNTS = {
    "fuse.google-drive-ocamlfuse": "Google Drive",
    "fuse.rclone": "rclone",
    "fuse.onedriver": "OneDrive",
    "fuse.pcloud": "pCloud",
}
_MOUNTS = Path("/proc/self/mounts")


def service_of(folder: Path, mounted: str | None = None) -> str | None:
    """Return the service that copies *folder* elsewhere, by its name; None when none is known.
    It lists every folder around. *mounted* is as in `network_of`."""
    return service_named(folder, mounted) or next(_marked(_around(folder)), None)


def service_named(folder: Path, mounted: str | None = None) -> str | None:
    """Return the same as far as names, links and mounts tell it: no folder is listed."""
    named = (found for each in _around(folder) if (found := _by_name(each.name)))
    kind = file_system(folder, mounts() if mounted is None else mounted)
    return next(named, None) or _CLOUD_MOUNTS.get(kind.lower())


def network_of(folder: Path, mounted: str | None = None) -> str | None:
    """Return the kind of network file system on which *folder* lies; None when it lies on none
    that is known. *mounted* is the list of mounts, by default that of this machine."""
    found = file_system(folder, mounts() if mounted is None else mounted)
    return found if found in _NETWORK else None


def file_system(folder: Path, mounted: str) -> str:
    """Return the kind of the file system on which *folder* lies, by the list of mounts as Linux
    writes it; empty when it does not say.

    Source: fstab(5), the second and the third field; a blank stands there as \\040.
    """
    place, found, longest = folder.resolve(), "", -1
    for line in mounted.splitlines():
        _, at, kind, *_ = [*line.split(" "), "", "", ""]
        mount = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), at))
        if at and place.is_relative_to(mount) and len(mount.parts) >= longest:
            found, longest = kind, len(mount.parts)
    return found


def mounts(path: Path = _MOUNTS) -> str:
    """Return the list of what is mounted on this machine; empty where the system has none."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _around(folder: Path) -> list[Path]:
    """Return *folder* and those above it, as its way is written and as it really is."""
    ways = dict.fromkeys((folder.absolute(), folder.resolve()))
    return list(dict.fromkeys(each for way in ways for each in (way, *way.parents)))


def _by_name(name: str) -> str | None:
    if name in _NAMES:
        return _NAMES[name]
    small = name.lower().replace(" ", "")
    return next((it for begin, it in _BEGINNINGS.items() if small.startswith(begin)), None)


def _marked(around: list[Path]) -> Iterator[str]:
    """Yield the services that left something in one of the folders."""
    for each in around:
        yield from (service for name, service in _LEFT.items() if _is_left(each / name))
        with suppress(OSError):  # it may not be listed, or is not there yet
            if any(_DATABASE.fullmatch(inside.name) for inside in each.iterdir()):
                yield "Nextcloud or ownCloud"


def _is_left(path: Path) -> bool:
    """Return whether it is there; Dropbox also keeps a folder of its own, in every home."""
    return os.path.lexists(path) and not (path.name == ".dropbox" and path.is_dir())
