"""The peer: nslcd and its pam_ldap.so, unpacked beside us, never installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.bench import unpacking

CONF = """\
uid root
gid root
uri {uri}
base {base}
binddn {bind_dn}
bindpw {bind_password}
tls_cacertfile {ca_file}
tls_reqcert demand
pam_authc_ppolicy yes
threads 8
"""


def unpack() -> Path:
    """Return a folder that holds the peer's files as its packages lay them out.

    Raises:
        RuntimeError: The packages cannot be had.
    """
    return unpacking.unpack("nslcd", ("nslcd", "libpam-ldapd"), "usr/sbin/nslcd")


def module(root: Path) -> Path:
    """Return the path of the peer's PAM module."""
    return next(root.rglob("pam_ldap.so"))


def write_conf(folder: Path, **values: str) -> Path:
    """Write the peer's configuration (0600) and return its path."""
    path = folder / "nslcd.conf"
    path.write_text(CONF.format(**values))
    path.chmod(0o600)
    return path


def start_line(root: Path, conf: Path) -> str:
    """Return the shell lines that run nslcd inside a private mount namespace.

    /etc gets a layer of its own for nslcd.conf, and /run is empty; both end with the namespace.
    """
    layer = conf.parent / "layer"
    shutil.rmtree(layer, ignore_errors=True)
    layer.mkdir()
    return f"""
mount -t tmpfs bench {layer}
mkdir {layer}/upper {layer}/work
mount -t overlay bench -o lowerdir=/etc,upperdir={layer}/upper,workdir={layer}/work /etc
install -m 600 {conf} /etc/nslcd.conf
mount -t tmpfs bench /run
mkdir -p /run/nslcd
{root}/usr/sbin/nslcd -n >{conf.parent}/nslcd.log 2>&1 &
nslcd=$!
for _ in $(seq 100); do [ -S /run/nslcd/socket ] && break; sleep 0.05; done
"""


def is_root() -> bool:
    """Return whether namespaces can be made."""
    return os.geteuid() == 0
