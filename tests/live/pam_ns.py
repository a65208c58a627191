"""A machine of its own for PAM: sshd, su, sudo on the stack that Debian generates, nothing changed.

`unshare -mn` gives it mounts and a network of its own; private copies of /etc, of the PAM modules
and of what changes under /run and /var/lib lie over the host's. The stack is written by the real
pam-auth-update from packaging/pam/loginward. The daemon, real or scripted, runs outside: its
socket's folder appears as /run/loginward, and its state folder as /var/lib/loginward.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.syslog import Log

TOP = Path(__file__).parents[2]
PROFILE = TOP / "packaging/pam/loginward"
PORT = 2222  # of a loopback of its own
PATIENCE_S = 20
HOST_FILES = ("passwd", "shadow", "group", "gshadow", "nsswitch.conf", "sudoers")

_MOUNTS = r"""
set -e
mount --make-rprivate /
root=$1 security=$2 run=$3 state=$4
mount --bind "$root/debconf" /var/cache/debconf
pam-auth-update --root "$root" --package --force >&2
mkdir "$root/dev"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666,mode=620,gid=5
ln -s pts/ptmx "$root/dev/ptmx"
ln -s "$root/log.sock" "$root/dev/log"
ln -s /proc/self/fd "$root/dev/fd"
mount --rbind "$root/dev" /dev
mount --bind "$root/etc" /etc
mount --bind "$root/security" "$security"
mount -t tmpfs tmpfs /var/lib
mkdir /var/lib/loginward
mount --bind "$state" /var/lib/loginward
mount -t tmpfs tmpfs /home
mount -t tmpfs tmpfs /run
mkdir /run/sshd /run/loginward
mount --bind "$run" /run/loginward
ip link set lo up
echo ready
exec cat >/dev/null
"""

_SSHD = f"""\
Port {PORT}
ListenAddress 127.0.0.1
HostKey /etc/ssh/ns_host_key
AuthorizedKeysFile /etc/ssh/keys/%u
PidFile none
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
UseDNS no
PrintMotd no
StrictModes no
MaxStartups 200
LogLevel VERBOSE
"""

_SSH_CLIENT = (
    "-F", "none", "-p", str(PORT), "-i", "/etc/ssh/ns_user_key",
    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
    "-o", "GlobalKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1",
    "-o", "ConnectTimeout=10",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a person at a terminal saw, and what the program ended with."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Machine:
    """The running machine; made by `machine_at`.

    Attributes:
        root: Its private copies, root/etc above all.
        log: What its programs write to syslog(3).
    """

    root: Path
    pid: int
    log: Log

    def run(self, *command: str, typed: str = "", uid: int = 0) -> Outcome:
        """Run a command in the machine, as this uid, with what is typed as its standard input."""
        enter = ["nsenter", "-t", str(self.pid), "-m", "-n", "--wd=/"]
        if uid:
            enter += ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        done = subprocess.run(
            [*enter, *command],
            input=typed.encode(),
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp"},
        )
        return Outcome(
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )

    def add_person(
        self, name: str, uid: int, *, password: str = "", aged: bool = False, sudo: bool = False
    ) -> None:
        """Add a local account; a password makes it valid in shadow too, `aged` overdue there."""
        scheme = "!"
        if password:
            scheme = _output("openssl", "passwd", "-6", "-stdin", typed=password).strip()
        changed, most = ("10000", "90") if aged else ("20000", "99999")
        etc = self.root / "etc"
        _append(etc / "passwd", f"{name}:x:{uid}:{uid}:{name}:/home/{name}:/bin/sh")
        _append(etc / "group", f"{name}:x:{uid}:")
        _append(etc / "shadow", f"{name}:{scheme}:{changed}:0:{most}:7:::")
        made = self.run("install", "-d", "-o", str(uid), "-g", str(uid), f"/home/{name}")
        assert made.code == 0, made.err
        shutil.copy(etc / "ssh/ns_user_key.pub", etc / "ssh/keys" / name)
        if sudo:
            _append(etc / "sudoers.d/ns", f"{name} ALL=(ALL) ALL")

    def add_service(self, name: str, options: str) -> None:
        """Add a PAM service with our module alone, whose codes are then the module's own."""
        kinds = ("auth", "account", "password", "session")
        lines = (f"{kind} required pam_loginward.so {options}".rstrip() for kind in kinds)
        (self.root / "etc/pam.d" / name).write_text("\n".join(lines) + "\n")

    def talk(
        self,
        *command: str,
        lines: tuple[tuple[str, str], ...],
        uid: int = 0,
    ) -> Outcome:
        """Run a command at a terminal, where each line is typed once its prompt is shown.

        Fails, with what was shown, where a prompt does not come.
        """
        script = ["set timeout 10", "spawn " + " ".join(f"{{{word}}}" for word in command)]
        for number, (prompt, typed) in enumerate(lines, 11):
            gone = f"timeout {{ exit {number} }} eof {{ exit {number} }}"
            script.append(f'expect -re {{{prompt}}} {{ send "{typed}\\r" }} {gone}')
        script += ["expect eof {} timeout { exit 10 }", "exit [lindex [wait] 3]"]
        return self.run("expect", "-c", "\n".join(script), uid=uid)

    def ssh_talk(self, name: str, *lines: tuple[str, str]) -> Outcome:
        """Sign in by ssh with keyboard-interactive at a terminal."""
        only = ("-o", "PreferredAuthentications=keyboard-interactive")
        only += ("-o", "PubkeyAuthentication=no")
        return self.talk("ssh", *_SSH_CLIENT, *only, f"{name}@127.0.0.1", "id -un", lines=lines)

    def ssh(
        self, name: str, method: str, password: str = "", *, command: str = "id -un"
    ) -> Outcome:
        """Sign in by ssh with one method: password, keyboard-interactive or publickey."""
        only = ["-o", f"PreferredAuthentications={method}"]
        if method != "publickey":
            only += ["-o", "PubkeyAuthentication=no"]
        client = ["ssh", *_SSH_CLIENT, *only, f"{name}@127.0.0.1", command]
        return self.run(*(["sshpass", "-p", password, *client] if password else client))

    def su(self, name: str, password: str, *, by: int) -> Outcome:
        """Become somebody by su, as another person with a uid."""
        return self.run("su", "-", name, "-c", "id -un", typed=f"{password}\n", uid=by)

    def sudo(self, uid: int, password: str) -> Outcome:
        """Become root by sudo."""
        return self.run("sudo", "-k", "-S", "-p", "", "id", "-un", typed=f"{password}\n", uid=uid)

    def pamtester(
        self, service: str, name: str, *operations: str, password: str = "", rhost: str = ""
    ) -> Outcome:
        """Run pamtester; its operations are authenticate, acct_mgmt, chauthtok and so on."""
        item = ["-I", f"rhost={rhost}"] if rhost else []
        typed = f"{password}\n" if password else ""
        return self.run("pamtester", *item, service, name, *operations, typed=typed)


@contextmanager
def machine_at(
    folder: Path, module: Path, run: Path, state: Path, options: str = ""
) -> Iterator[Machine]:
    """Run a machine until the end of the block.

    Args:
        folder: Empty, for its private copies.
        module: pam_loginward.so.
        run: Folder with the daemon's login.sock; root's, writable by root alone.
        state: Folder with the marker file.
        options: Put behind the module's options in every generated line, such as "nodelay".
    """
    security = _security_folder()
    root = _private_copies(folder, module, security, options)
    machine = Machine(root, 0, Log(root / "log.sock"))
    with machine.log.kept():
        holder = subprocess.Popen(
            ["unshare", "-mn", "sh", "-c", _MOUNTS, "sh", root, security, run, state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
        )
        with holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            try:
                ready = holder.stdout.readline()
                assert ready == b"ready\n", "needs root: the right to `unshare -mn`"
                machine.pid = holder.pid
                with _sshd(machine):
                    yield machine
            finally:
                holder.stdin.close()
                holder.wait(PATIENCE_S)


def host_files() -> dict[str, str]:
    """Return a digest of every file of the host that a login could have changed."""
    files = [Path("/etc") / name for name in HOST_FILES]
    files += sorted(Path("/etc/pam.d").iterdir()) + sorted(Path("/etc/ssh").iterdir())
    files += sorted(Path(_security_folder()).iterdir())
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()
    }


def _private_copies(folder: Path, module: Path, security: Path, options: str) -> Path:
    root = folder / "root"
    root.mkdir()
    shutil.copytree("/etc", root / "etc", symlinks=True)
    shutil.copytree(security, root / "security", symlinks=True)
    shutil.copy(module, root / "security/pam_loginward.so")
    shutil.copytree("/usr/share/pam", root / "usr/share/pam")
    (root / "usr/share/pam-configs").mkdir()
    shutil.copy("/usr/share/pam-configs/unix", root / "usr/share/pam-configs")
    profile = PROFILE.read_text().replace("pam_loginward.so", f"pam_loginward.so {options}".strip())
    (root / "usr/share/pam-configs/loginward").write_text(profile)
    (root / "var/lib/pam").mkdir(parents=True)
    shutil.copytree("/var/cache/debconf", root / "debconf")
    etc = root / "etc"
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
    (etc / "sudoers").write_text(
        "Defaults !syslog\nroot ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n"
    )
    (etc / "sudoers").chmod(0o440)
    (etc / "ssh/keys").mkdir()
    (etc / "ssh/sshd_ns").write_text(_SSHD)
    for key in ("ns_host_key", "ns_user_key"):
        _output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(etc / "ssh" / key))
    _bear_a_missing_login_uid(etc / "pam.d")
    _keep_no_delay_but_ours(etc / "pam.d/login")
    return root


def _keep_no_delay_but_ours(login: Path) -> None:
    """Take out Debian's fixed delay after a refusal; what ours does is a test's own subject."""
    lines = login.read_text().splitlines(keepends=True)
    login.write_text("".join(line for line in lines if "pam_faildelay.so" not in line))


def _bear_a_missing_login_uid(pam_d: Path) -> None:
    """Let sessions go on where the kernel keeps no login uid, as in a container."""
    for path in pam_d.iterdir():
        text = path.read_text()
        path.write_text(text.replace("required     pam_loginuid.so", "optional pam_loginuid.so"))


@contextmanager
def _sshd(machine: Machine) -> Iterator[None]:
    enter = ["nsenter", "-t", str(machine.pid), "-m", "-n"]
    with (machine.root / "sshd.log").open("wb") as log:
        sshd = subprocess.Popen(
            [*enter, "/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/sshd_ns"], stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + PATIENCE_S
        while b"listening" not in (machine.root / "sshd.log").read_bytes():
            assert sshd.poll() is None, (machine.root / "sshd.log").read_text()
            assert time.monotonic() < end, "sshd does not listen"
            time.sleep(0.02)
        yield
    finally:
        sshd.terminate()
        sshd.wait(PATIENCE_S)


def _security_folder() -> Path:
    """Return where libpam finds its modules."""
    return next(path.parent for path in Path("/usr/lib").glob("*/security/pam_unix.so"))


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def _output(*command: str, typed: str = "") -> str:
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=True)
    return done.stdout
