"""The peer at the RADIUS door: FreeRADIUS with rlm_ldap, unpacked beside us, never installed.

Its configuration is Debian's, reduced to what a login by PAP or EAP-TTLS/PAP meets: a search for the
person and a bind as them over LDAPS, each login logged nowhere. Threads and connections are as many
as it comes with.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench import unpacking
from tests.doubles.processes import end
from tests.live.certificates import Pair

PACKAGES = ("freeradius", "freeradius-ldap")
PROGRAM = "usr/sbin/freeradius"

CONF = """\
prefix = /usr
libdir = {root}/usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
name = freeradius
max_request_time = 30
cleanup_delay = 5
max_requests = 16384
hostname_lookups = no
log {{
    destination = files
    file = {folder}/radius.log
    auth = no
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
}}
proxy_requests = no
thread pool {{
    start_servers = 5
    max_servers = 32
    min_spare_servers = 3
    max_spare_servers = 10
    max_requests_per_server = 0
    auto_limit_acct = no
}}
client bench {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
}}
modules {{
    ldap {{
        server = "{url}"
        identity = "{bind_dn}"
        password = "{bind_password}"
        base_dn = "{base}"
        user {{
            base_dn = "${{..base_dn}}"
            filter = "(uid=%{{%{{Stripped-User-Name}}:-%{{User-Name}}}})"
        }}
        options {{
            chase_referrals = yes
            rebind = yes
            res_timeout = 10
            srv_timelimit = 3
            net_timeout = 1
            idle = 60
            probes = 3
            interval = 3
        }}
        tls {{
            ca_file = {ca_file}
            require_cert = "demand"
        }}
        pool {{
            start = ${{thread[pool].start_servers}}
            min = ${{thread[pool].min_spare_servers}}
            max = ${{thread[pool].max_servers}}
            spare = ${{thread[pool].max_spare_servers}}
            uses = 0
            retry_delay = 30
            lifetime = 0
            idle_timeout = 60
        }}
    }}
    eap {{
        default_eap_type = ttls
        timer_expire = 60
        ignore_unknown_eap_types = no
        max_sessions = ${{max_requests}}
        tls-config tls-common {{
            private_key_file = {key_file}
            certificate_file = {cert_file}
            ca_file = {eap_ca_file}
            cipher_list = "DEFAULT"
            cipher_server_preference = no
            tls_min_version = "1.2"
            tls_max_version = "1.2"
            ecdh_curve = ""
            cache {{
                enable = no
            }}
        }}
        ttls {{
            tls = tls-common
            default_eap_type = md5
            copy_request_to_tunnel = no
            use_tunneled_reply = no
            virtual_server = inner-tunnel
        }}
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        eap {{
            ok = return
        }}
        ldap
        if ((ok || updated) && &User-Password) {{
            update control {{
                &Auth-Type := ldap
            }}
        }}
    }}
    authenticate {{
        Auth-Type LDAP {{
            ldap
        }}
        eap
    }}
}}
server inner-tunnel {{
    authorize {{
        ldap
        if ((ok || updated) && &User-Password) {{
            update control {{
                &Auth-Type := ldap
            }}
        }}
    }}
    authenticate {{
        Auth-Type LDAP {{
            ldap
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Asks:
    """What it is told of the directory, and shows to devices."""

    url: str
    base: str
    bind_dn: str
    bind_password: str
    ca_file: Path
    secret: str
    certificate: Pair
    eap_ca_file: Path


class FreeRadius:
    """One server on a port of 127.0.0.1, in a folder of its own."""

    def __init__(self, folder: Path, port: int, asks: Asks) -> None:
        self._folder = folder
        self._root = unpacking.unpack("freeradius", PACKAGES, PROGRAM)
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700)
        conf = folder / "radiusd.conf"
        conf.touch(mode=0o600)
        conf.write_text(
            CONF.format(
                root=self._root, folder=folder, port=port, url=asks.url, base=asks.base,
                bind_dn=asks.bind_dn, bind_password=asks.bind_password, ca_file=asks.ca_file,
                secret=asks.secret, cert_file=asks.certificate.cert_file,
                key_file=asks.certificate.key_file, eap_ca_file=asks.eap_ca_file,
            )
        )  # fmt: skip

    def start(self) -> None:
        """Start it; it answers a little later."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._root / PROGRAM, "-f", "-d", self._folder, "-D", "/usr/share/freeradius"],
                env=os.environ | {"LD_LIBRARY_PATH": "/usr/lib/freeradius"},
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End it; idempotent."""
        process, self._process = self._process, None
        if process is not None:
            end(process)

    @property
    def pid(self) -> int:
        """Return the process id of the running server."""
        assert self._process is not None, "FreeRADIUS is not running"
        return self._process.pid
